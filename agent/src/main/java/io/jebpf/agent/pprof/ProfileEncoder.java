package io.jebpf.agent.pprof;

import static io.jebpf.agent.pprof.PprofField.*;

import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

/**
 * Writes one kind of a window's profiles as gzipped pprof that every known reader takes: ids are
 * positions plus one, a period type is always there, one line per location, one sample per stack
 * and labels, no system names, all has_… flags that are true. A window holds the locations of all
 * kinds; those that this kind has no sample of are left out. The order is that of {@link
 * WindowOrder}. Owner: one thread.
 *
 * <p>Deliberately absent: splitting. Pyroscope refuses more than {@link #SAMPLES_MAX} samples,
 * which is a limit of the window already, and cuts stacks above {@link #FRAMES_MAX} frames at the
 * leaf; files stay whole, and an upload has to cut them itself, at the root end.
 */
public final class ProfileEncoder {
  public static final int SAMPLES_MAX = 16_000;
  public static final int FRAMES_MAX = 1_000;

  /** Longest string that readers take, in bytes of UTF-8. */
  static final int STRING_BYTES_MAX = 65_535;

  /**
   * How hard each part is compressed. Beyond this, locations and functions take twice the time for
   * 1 % and nothing, texts a third more for 0.6 %.
   */
  private static final int SAMPLES_LEVEL = 6;

  private static final int TABLES_LEVEL = 4;
  private static final int TEXTS_LEVEL = 5;

  /** So much is handed to the compression at once; a stack may be as large. */
  private static final int FLUSH_BYTES = 12 << 10;

  private final Output out;
  private final Window window;
  private final WindowOrder order;
  private final Selection locations;
  private final Selection functions;
  private final Map<String, Integer> strings = new HashMap<>(); // that are no functions' texts
  private final int[] textStrings; // of a text of functions: its string, 0 is none yet
  private int stringsSize;
  private final Map<Labels, byte[]> labels = new HashMap<>(); // as fields of a sample
  private final ProtoBuffer labelFields = new ProtoBuffer(256);
  private final int[] tailBytes; // of a node: what it and its callers take in a stack
  private ProtoBuffer lastStack = new ProtoBuffer(1024);
  private ProtoBuffer otherStack = new ProtoBuffer(1024);
  private final ProtoBuffer top = new ProtoBuffer(16 << 10);
  private final ProtoBuffer stringTable = new ProtoBuffer(1 << 16);

  private ProfileEncoder(Window window, WindowOrder order, Output out) {
    this.window = window;
    this.order = order;
    this.out = out;
    this.locations = new Selection(order.functionsOf.length);
    this.tailBytes = new int[order.parents.length];
    this.functions = new Selection(order.nameTexts.length);
    this.textStrings = new int[order.texts()];
  }

  /** Gzip of parts that are compressed on their own. */
  private static final class Output extends GZIPOutputStream {
    Output(OutputStream out) throws IOException {
      super(out, 8192, true);
    }

    /**
     * What comes now is of another sort: a block of its own, with codes for it, takes less.
     *
     * @param level 0 to 9
     */
    void part(int level) throws IOException {
      flush();
      def.setLevel(level);
    }
  }

  /** Writes the whole profile; the stream is finished but not closed. */
  public static void encode(Window window, ProfileKind kind, ProfileHeader header, OutputStream out)
      throws IOException {
    encode(window, new WindowOrder(window), kind, header, out);
  }

  /**
   * As {@link #encode(Window, ProfileKind, ProfileHeader, OutputStream)}, for several kinds of one
   * window.
   *
   * @return samples that went into others because too many had ids of spans
   */
  public static long encode(
      Window window, WindowOrder order, ProfileKind kind, ProfileHeader header, OutputStream out)
      throws IOException {
    Output gzip = new Output(out);
    ProfileEncoder encoder = new ProfileEncoder(window, order, gzip);
    ProfileRows rows = kind.rows(window, order);
    encoder.number(rows);
    rows.rewind();
    long merged = 0;
    List<String> comments = List.of();
    if (kind.boundsSpans()) {
      rows = BoundedSpans.of(rows, kind, encoder.locations.size(), header.startNanos());
      if (rows instanceof BoundedSpans bounded) {
        merged = bounded.merged();
        comments = comments(bounded);
      }
    }
    gzip.part(SAMPLES_LEVEL);
    encoder.writeHeader(kind, header, comments);
    encoder.writeSamples(rows, header);
    encoder.endPart(TABLES_LEVEL);
    encoder.writeMappings();
    encoder.writeLocations();
    encoder.endPart(TABLES_LEVEL);
    encoder.writeFunctions();
    encoder.endPart(TEXTS_LEVEL);
    encoder.stringTable.writeTo(gzip);
    gzip.finish();
    return merged;
  }

  private static List<String> comments(BoundedSpans rows) {
    return new QualityComments()
        .sum(QualityComments.SPAN_SAMPLES_MERGED, rows.merged())
        .fact(QualityComments.SPAN_EXACT_NANOS, Long.toString(rows.thresholdNanos()))
        .list();
  }

  /** Gives what the samples refer to its numbers. */
  private void number(ProfileRows rows) {
    int[] parents = order.parents;
    int[] nodeLocations = order.nodeLocations;
    int[] functionsOf = order.functionsOf;
    boolean[] seen = new boolean[parents.length];
    while (rows.next()) {
      for (int node = rows.leaf(); node != Window.ROOT && !seen[node]; node = parents[node]) {
        seen[node] = true;
        int location = nodeLocations[node];
        if (locations.want(location)) {
          functions.want(functionsOf[location]);
        }
      }
    }
    locations.number(order.locations());
    functions.number(order.functions());
  }

  private void writeHeader(ProfileKind kind, ProfileHeader header, List<String> more)
      throws IOException {
    order.writeText(WindowOrder.NO_TEXT, stringTable); // string_table[0] has to be empty
    stringsSize = 1;
    for (ProfileKind.Value value : kind.sampleTypes()) {
      valueType(PROFILE_SAMPLE_TYPE, value.type(), value.unit());
    }
    valueType(PROFILE_PERIOD_TYPE, kind.main(), "nanoseconds");
    long defaultType = string(kind.main());
    top.number(PROFILE_PERIOD, header.periodNanos());
    top.number(PROFILE_TIME_NANOS, header.startNanos());
    top.number(PROFILE_DURATION_NANOS, header.durationNanos());
    top.number(PROFILE_DEFAULT_SAMPLE_TYPE, defaultType);
    comment(header.comments());
    comment(more);
    flush();
  }

  private void comment(List<String> comments) throws IOException {
    for (String comment : comments) {
      long index = string(comment);
      top.number(PROFILE_COMMENT, index);
    }
  }

  private void valueType(int field, String type, String unit) {
    int begin = top.begin(field);
    top.number(VALUE_TYPE_TYPE, string(type));
    top.number(VALUE_TYPE_UNIT, string(unit));
    top.end(begin);
  }

  private void writeSamples(ProfileRows rows, ProfileHeader header) throws IOException {
    ProtoBuffer to = top;
    int valuesCount = rows.values();
    while (rows.next()) {
      int sample = to.begin(PROFILE_SAMPLE);
      to.message(SAMPLE_LOCATION_ID, stack(rows.leaf()));
      int values = to.begin(SAMPLE_VALUE);
      for (int i = 0; i < valuesCount; i++) {
        to.varint(rows.value(i));
      }
      to.end(values);
      to.append(labels(rows.labels(), header));
      to.end(sample);
      flushSome();
    }
  }

  /**
   * Numbers of a stack's locations, the leaf first. What it has in common with a stack that was
   * written before is at the end of the last one: rows come in the order of a walk through the
   * tree.
   */
  private ProtoBuffer stack(int leaf) {
    int[] parents = order.parents;
    int[] nodeLocations = order.nodeLocations;
    int[] tails = tailBytes;
    ProtoBuffer stack = otherStack;
    stack.clear();
    int node = leaf;
    while (node != Window.ROOT && tails[node] == 0) {
      stack.varint(locations.number(nodeLocations[node]) + 1L);
      tails[node] = -stack.size(); // where the next one begins
      node = parents[node];
    }
    stack.appendTail(lastStack, node == Window.ROOT ? 0 : tails[node]);
    int size = stack.size();
    int start = 0;
    for (int i = leaf; i != node; i = parents[i]) {
      int next = -tails[i];
      tails[i] = size - start;
      start = next;
    }
    otherStack = lastStack;
    lastStack = stack;
    return stack;
  }

  private byte[] labels(Labels set, ProfileHeader header) {
    byte[] known = labels.get(set);
    if (known != null) {
      return known;
    }
    labelFields.clear();
    for (int i = 0; i < set.size(); i++) {
      label(set.key(i), set.text(i));
    }
    for (Map.Entry<String, String> label : header.labels().entrySet()) {
      label(label.getKey(), label.getValue());
    }
    byte[] made = labelFields.toByteArray();
    labels.put(set, made);
    return made;
  }

  private void label(String key, String value) {
    int begin = labelFields.begin(SAMPLE_LABEL);
    labelFields.number(LABEL_KEY, string(key));
    labelFields.number(LABEL_STR, string(value));
    labelFields.end(begin);
  }

  private void writeMappings() throws IOException {
    long id = 1;
    for (Mapping mapping : window.mappings()) {
      boolean java = mapping.kind() == Mapping.Kind.JAVA;
      int begin = top.begin(PROFILE_MAPPING);
      top.number(MAPPING_ID, id++);
      top.number(MAPPING_MEMORY_START, mapping.start());
      top.number(MAPPING_MEMORY_LIMIT, mapping.limit());
      top.number(MAPPING_FILE_OFFSET, mapping.fileOffset());
      top.number(MAPPING_FILENAME, string(mapping.file()));
      top.number(MAPPING_BUILD_ID, string(mapping.buildId()));
      top.flag(MAPPING_HAS_FUNCTIONS, true);
      top.flag(MAPPING_HAS_FILENAMES, java);
      top.flag(MAPPING_HAS_LINE_NUMBERS, java);
      top.flag(MAPPING_HAS_INLINE_FRAMES, java);
      top.end(begin);
      flushSome();
    }
  }

  /** Fields of locations and functions are in the order that compresses best. */
  private void writeLocations() throws IOException {
    ProtoBuffer to = top;
    int[] functionsOf = order.functionsOf;
    int[] linesOf = order.linesOf;
    int[] mappingsOf = order.mappingsOf;
    long[] addressesOf = order.addressesOf;
    int size = locations.size();
    for (int i = 0; i < size; i++) {
      int location = locations.item(i);
      int begin = to.begin(PROFILE_LOCATION);
      int line = to.begin(LOCATION_LINE);
      to.number(LINE_LINE, linesOf[location]);
      to.number(LINE_FUNCTION_ID, functions.number(functionsOf[location]) + 1L);
      to.end(line);
      to.number(LOCATION_ID, i + 1L);
      to.number(LOCATION_MAPPING_ID, mappingsOf[location] + 1L);
      to.number(LOCATION_ADDRESS, addressesOf[location]);
      to.end(begin);
      flushSome();
    }
  }

  private void writeFunctions() throws IOException {
    ProtoBuffer to = top;
    int[] nameTexts = order.nameTexts;
    int[] fileTexts = order.fileTexts;
    int size = functions.size();
    for (int i = 0; i < size; i++) {
      int function = functions.item(i);
      int begin = to.begin(PROFILE_FUNCTION);
      to.number(FUNCTION_ID, i + 1L);
      to.number(FUNCTION_FILENAME, textString(fileTexts[function]));
      to.number(FUNCTION_NAME, textString(nameTexts[function]));
      to.end(begin);
      flushSome();
    }
  }

  /** The string's index. The table comes last: texts among texts take the least space. */
  private long string(String text) {
    Integer known = strings.get(text);
    if (known != null) {
      return known;
    }
    int number = order.textNumber(text);
    if (number != WindowOrder.OTHER_TEXT) {
      return textString(number);
    }
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    stringTable.bytes(PROFILE_STRING_TABLE, utf8, WindowOrder.lengthOf(utf8));
    strings.put(text, stringsSize);
    return stringsSize++;
  }

  /** Index of the string for a text of functions. */
  private int textString(int text) {
    int known = textStrings[text];
    if (known != 0 || text == WindowOrder.NO_TEXT) {
      return known;
    }
    order.writeText(text, stringTable);
    textStrings[text] = stringsSize;
    return stringsSize++;
  }

  private void endPart(int nextLevel) throws IOException {
    flush();
    out.part(nextLevel);
  }

  private void flushSome() throws IOException {
    if (top.size() > FLUSH_BYTES) {
      flush();
    }
  }

  private void flush() throws IOException {
    top.writeTo(out);
    top.clear();
  }
}
