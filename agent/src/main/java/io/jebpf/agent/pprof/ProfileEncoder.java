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
  private static final int STRING_BYTES_MAX = 65_535;

  private final OutputStream out;
  private final Window window;
  private final WindowOrder order;
  private final Selection locations;
  private final Selection functions;
  private final Map<String, Integer> strings = new HashMap<>();
  private final Map<Labels, byte[]> labels = new HashMap<>(); // as fields of a sample
  private final ProtoBuffer labelFields = new ProtoBuffer(256);
  private final int[] tailBytes; // of a node: what it and its callers take in a stack
  private ProtoBuffer lastStack = new ProtoBuffer(1024);
  private ProtoBuffer otherStack = new ProtoBuffer(1024);
  private final ProtoBuffer top = new ProtoBuffer(8192);
  private final ProtoBuffer message = new ProtoBuffer(4096);
  private final ProtoBuffer nested = new ProtoBuffer(4096);
  private final ProtoBuffer stringTable = new ProtoBuffer(1 << 14);

  private ProfileEncoder(Window window, WindowOrder order, OutputStream out) {
    this.window = window;
    this.order = order;
    this.out = out;
    this.locations = new Selection(window.locations());
    this.tailBytes = new int[window.nodes()];
    this.functions = new Selection(window.functions());
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
    GZIPOutputStream gzip = new GZIPOutputStream(out, 8192, true);
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
    encoder.writeHeader(kind, header, comments);
    encoder.writeSamples(rows, header);
    encoder.endPart();
    encoder.writeMappings();
    encoder.writeLocations();
    encoder.endPart();
    encoder.writeFunctions();
    encoder.endPart();
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
    boolean[] seen = new boolean[window.nodes()];
    while (rows.next()) {
      for (int node = rows.leaf(); node != Window.ROOT && !seen[node]; node = window.parent(node)) {
        seen[node] = true;
        int location = window.location(node);
        locations.want(location);
        functions.want(window.functionOf(location));
      }
    }
    locations.number(order.locations());
    functions.number(order.functions());
  }

  private void writeHeader(ProfileKind kind, ProfileHeader header, List<String> more)
      throws IOException {
    string(""); // string_table[0] has to be empty
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

  private void valueType(int field, String type, String unit) throws IOException {
    message.clear();
    message.number(VALUE_TYPE_TYPE, string(type));
    message.number(VALUE_TYPE_UNIT, string(unit));
    top.message(field, message);
  }

  private void writeSamples(ProfileRows rows, ProfileHeader header) throws IOException {
    while (rows.next()) {
      message.clear();
      message.message(SAMPLE_LOCATION_ID, stack(rows.leaf()));
      nested.clear();
      for (int i = 0; i < rows.values(); i++) {
        nested.varint(rows.value(i));
      }
      message.message(SAMPLE_VALUE, nested);
      message.append(labels(rows.labels(), header));
      top.message(PROFILE_SAMPLE, message);
      flushSome();
    }
  }

  /**
   * Numbers of a stack's locations, the leaf first. What it has in common with a stack that was
   * written before is at the end of the last one: rows come in the order of a walk through the
   * tree.
   */
  private ProtoBuffer stack(int leaf) {
    ProtoBuffer stack = otherStack;
    stack.clear();
    int node = leaf;
    while (node != Window.ROOT && tailBytes[node] == 0) {
      stack.varint(locations.number(window.location(node)) + 1L);
      tailBytes[node] = -stack.size(); // where the next one begins
      node = window.parent(node);
    }
    stack.appendTail(lastStack, node == Window.ROOT ? 0 : tailBytes[node]);
    int start = 0;
    for (int i = leaf; i != node; i = window.parent(i)) {
      int next = -tailBytes[i];
      tailBytes[i] = stack.size() - start;
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
    nested.clear();
    nested.number(LABEL_KEY, string(key));
    nested.number(LABEL_STR, string(value));
    labelFields.message(SAMPLE_LABEL, nested);
  }

  private void writeMappings() throws IOException {
    long id = 1;
    for (Mapping mapping : window.mappings()) {
      boolean java = mapping.kind() == Mapping.Kind.JAVA;
      message.clear();
      message.number(MAPPING_ID, id++);
      message.number(MAPPING_MEMORY_START, mapping.start());
      message.number(MAPPING_MEMORY_LIMIT, mapping.limit());
      message.number(MAPPING_FILE_OFFSET, mapping.fileOffset());
      message.number(MAPPING_FILENAME, string(mapping.file()));
      message.number(MAPPING_BUILD_ID, string(mapping.buildId()));
      message.flag(MAPPING_HAS_FUNCTIONS, true);
      message.flag(MAPPING_HAS_FILENAMES, java);
      message.flag(MAPPING_HAS_LINE_NUMBERS, java);
      message.flag(MAPPING_HAS_INLINE_FRAMES, java);
      top.message(PROFILE_MAPPING, message);
      flushSome();
    }
  }

  private void writeLocations() throws IOException {
    for (int i = 0; i < locations.size(); i++) {
      int location = locations.item(i);
      nested.clear();
      nested.number(LINE_LINE, window.lineOf(location)); // in the order that compresses best
      nested.number(LINE_FUNCTION_ID, functions.number(window.functionOf(location)) + 1L);
      message.clear();
      message.message(LOCATION_LINE, nested);
      message.number(LOCATION_ID, i + 1L);
      message.number(LOCATION_MAPPING_ID, window.mappingOf(location) + 1L);
      message.number(LOCATION_ADDRESS, window.addressOf(location));
      top.message(PROFILE_LOCATION, message);
      flushSome();
    }
  }

  private void writeFunctions() throws IOException {
    for (int i = 0; i < functions.size(); i++) {
      int function = functions.item(i);
      message.clear();
      message.number(FUNCTION_ID, i + 1L);
      message.number(FUNCTION_NAME, string(window.functionName(function), order.name(function)));
      message.number(FUNCTION_FILENAME, string(window.functionFile(function)));
      top.message(PROFILE_FUNCTION, message);
      flushSome();
    }
  }

  /** The string's index. The table comes last: texts among texts take the least space. */
  private long string(String text) {
    Integer known = strings.get(text);
    return known != null ? known : newString(text, text.getBytes(StandardCharsets.UTF_8));
  }

  private long string(String text, byte[] utf8) {
    Integer known = strings.get(text);
    return known != null ? known : newString(text, utf8);
  }

  private int newString(String text, byte[] utf8) {
    int index = strings.size();
    strings.put(text, index);
    stringTable.bytes(PROFILE_STRING_TABLE, utf8, lengthOf(utf8));
    return index;
  }

  /** How much of a text readers take: whole characters. */
  private static int lengthOf(byte[] utf8) {
    int length = Math.min(utf8.length, STRING_BYTES_MAX);
    while (length < utf8.length && (utf8[length] & 0xc0) == 0x80) { // in the middle of one
      length--;
    }
    return length;
  }

  /** The next bytes are of another sort: a block of their own, with codes for them, takes less. */
  private void endPart() throws IOException {
    flush();
    out.flush();
  }

  private void flushSome() throws IOException {
    if (top.size() > 6000) {
      flush();
    }
  }

  private void flush() throws IOException {
    top.writeTo(out);
    top.clear();
  }
}
