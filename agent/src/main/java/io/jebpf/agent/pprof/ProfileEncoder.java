package io.jebpf.agent.pprof;

import static io.jebpf.agent.pprof.PprofField.*;

import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

/**
 * Writes one kind of a window's profiles as gzipped pprof that every known reader takes: ids are
 * positions plus one, a period type is always there, one line per location, one sample per stack
 * and labels, no system names, all has_… flags that are true. A window holds the locations of all
 * kinds; those that this kind has no sample of are left out. Owner: thread "jebpf-writer".
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
  private final Numbering locations = new Numbering();
  private final Numbering functions = new Numbering();
  private final Map<String, Integer> strings = new HashMap<>();
  private final ProtoBuffer top = new ProtoBuffer(8192);
  private final ProtoBuffer message = new ProtoBuffer(4096);
  private final ProtoBuffer nested = new ProtoBuffer(4096);
  private final ProtoBuffer stringTable = new ProtoBuffer(256);
  private final CharsetEncoder utf8 =
      StandardCharsets.UTF_8
          .newEncoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);

  private ProfileEncoder(OutputStream out) {
    this.out = out;
  }

  /** Writes the whole profile; the stream is finished but not closed. */
  public static void encode(Window window, ProfileKind kind, ProfileHeader header, OutputStream out)
      throws IOException {
    GZIPOutputStream gzip = new GZIPOutputStream(out, 8192);
    ProfileEncoder encoder = new ProfileEncoder(gzip);
    encoder.writeHeader(kind, header);
    encoder.writeSamples(window, kind.rows(window), header);
    encoder.writeMappings(window);
    encoder.writeLocations(window);
    encoder.writeFunctions(window);
    encoder.flush();
    gzip.finish();
  }

  private void writeHeader(ProfileKind kind, ProfileHeader header) throws IOException {
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
    for (String comment : header.comments()) {
      long index = string(comment);
      top.number(PROFILE_COMMENT, index);
    }
    flush();
  }

  private void valueType(int field, String type, String unit) throws IOException {
    message.clear();
    message.number(VALUE_TYPE_TYPE, string(type));
    message.number(VALUE_TYPE_UNIT, string(unit));
    top.message(field, message);
  }

  private void writeSamples(Window window, ProfileRows rows, ProfileHeader header)
      throws IOException {
    while (rows.next()) {
      message.clear();
      nested.clear();
      for (int node = rows.leaf(); node != Window.ROOT; node = window.parent(node)) {
        nested.varint(locations.number(window.location(node)) + 1L);
      }
      message.message(SAMPLE_LOCATION_ID, nested);
      nested.clear();
      for (int i = 0; i < rows.values(); i++) {
        nested.varint(rows.value(i));
      }
      message.message(SAMPLE_VALUE, nested);
      Labels labels = rows.labels();
      for (int i = 0; i < labels.size(); i++) {
        label(labels.key(i), labels.text(i));
      }
      for (Map.Entry<String, String> label : header.labels().entrySet()) {
        label(label.getKey(), label.getValue());
      }
      top.message(PROFILE_SAMPLE, message);
      flushSome();
    }
  }

  private void label(String key, String value) throws IOException {
    nested.clear();
    nested.number(LABEL_KEY, string(key));
    nested.number(LABEL_STR, string(value));
    message.message(SAMPLE_LABEL, nested);
  }

  private void writeMappings(Window window) throws IOException {
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

  private void writeLocations(Window window) throws IOException {
    for (int i = 0; i < locations.size(); i++) {
      int location = locations.item(i);
      nested.clear();
      nested.number(LINE_FUNCTION_ID, functions.number(window.functionOf(location)) + 1L);
      nested.number(LINE_LINE, window.lineOf(location));
      message.clear();
      message.number(LOCATION_ID, i + 1L);
      message.number(LOCATION_MAPPING_ID, window.mappingOf(location) + 1L);
      message.number(LOCATION_ADDRESS, window.addressOf(location));
      message.message(LOCATION_LINE, nested);
      top.message(PROFILE_LOCATION, message);
      flushSome();
    }
  }

  private void writeFunctions(Window window) throws IOException {
    for (int i = 0; i < functions.size(); i++) {
      int function = functions.item(i);
      message.clear();
      message.number(FUNCTION_ID, i + 1L);
      message.number(FUNCTION_NAME, string(window.functionName(function)));
      message.number(FUNCTION_FILENAME, string(window.functionFile(function)));
      top.message(PROFILE_FUNCTION, message);
      flushSome();
    }
  }

  /** The string's index; a new string is written at once, so the table needs no second copy. */
  private long string(String text) throws IOException {
    Integer known = strings.get(text);
    if (known != null) {
      return known;
    }
    int index = strings.size();
    strings.put(text, index);
    ByteBuffer bytes = ByteBuffer.allocate(Math.min(3 * text.length(), STRING_BYTES_MAX));
    utf8.reset();
    utf8.encode(CharBuffer.wrap(text), bytes, true); // stops before a character that does not fit
    stringTable.clear();
    stringTable.bytes(PROFILE_STRING_TABLE, bytes.array(), bytes.position());
    stringTable.writeTo(out);
    return index;
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
