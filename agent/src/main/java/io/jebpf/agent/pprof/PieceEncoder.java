package io.jebpf.agent.pprof;

import static io.jebpf.agent.pprof.PprofField.*;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

/**
 * Writes some samples of a {@link ProfileSource} as a profile of its own, with no more than these
 * need: everything is numbered anew. Owner: one thread, for one profile.
 */
final class PieceEncoder {
  private static final byte[] CUT_FILE = "[jebpf]".getBytes(StandardCharsets.UTF_8);
  private static final byte[] CUT_FRAME = ProfilePieces.CUT_NAME.getBytes(StandardCharsets.UTF_8);

  private final ProfileSource source;
  private final int framesMax;
  private final ByteArrayOutputStream result = new ByteArrayOutputStream(16 << 10);
  private final GZIPOutputStream out = new GZIPOutputStream(result, 8192);
  private final Numbering locations = new Numbering();
  private final Numbering functions = new Numbering();
  private final Numbering mappings = new Numbering();

  /** New index of a string of the source, plus 1. */
  private final int[] stringNumbers;

  private final Map<String, Integer> ownStrings = new HashMap<>();
  private int stringCount;
  private final ProtoBuffer top = new ProtoBuffer(8192);
  private final ProtoBuffer message = new ProtoBuffer(512);
  private final ProtoBuffer nested = new ProtoBuffer(512);

  /** Strings are written past the other buffers, in the middle of other messages. */
  private final ProtoBuffer nestedString = new ProtoBuffer(256);

  private boolean hasCut;
  private int bodyBytes;

  PieceEncoder(ProfileSource source, int framesMax) throws IOException {
    this.source = source;
    this.framesMax = framesMax;
    this.stringNumbers = new int[source.strings.size()];
    string(0);
    mappings.number(0); // the first one is the main binary
    for (ProfileSource.ValueType type : source.sampleTypes) {
      valueType(PROFILE_SAMPLE_TYPE, type);
    }
    valueType(PROFILE_PERIOD_TYPE, source.periodType);
    top.number(PROFILE_PERIOD, source.period);
    top.number(PROFILE_TIME_NANOS, source.timeNanos);
    top.number(PROFILE_DURATION_NANOS, source.durationNanos);
    top.number(PROFILE_DEFAULT_SAMPLE_TYPE, string(source.defaultSampleType));
    flush();
  }

  /**
   * Where the part of a stack ends that is kept: behind frame {@code framesMax - 1} from the leaf
   * when there are more than {@code framesMax}, so that the marker has room.
   */
  static int cutEnd(ProfileSource source, int sample, int framesMax) {
    int end = source.stackEnds[sample];
    if (end - source.stackStart(sample) <= framesMax) {
      return end; // a frame has at least one byte
    }
    int frames = 0;
    int cut = end;
    for (int i = source.stackStart(sample); i < end; i++) {
      if (source.stacks[i] >= 0 && ++frames == framesMax - 1) {
        cut = i + 1;
      }
    }
    return frames > framesMax ? cut : end;
  }

  /** Bytes before compression so far. */
  int bodyBytes() {
    return bodyBytes;
  }

  void add(int sample, long[] values, int firstValue, Map<String, String> labels)
      throws IOException {
    message.clear();
    nested.clear();
    int end = cutEnd(source, sample, framesMax);
    long id = 0;
    int shift = 0;
    for (int i = source.stackStart(sample); i < end; i++) {
      byte next = source.stacks[i];
      id |= (next & 0x7fL) << shift;
      shift += 7;
      if (next >= 0) {
        nested.varint(location(id) + 1L);
        id = 0;
        shift = 0;
      }
    }
    if (end < source.stackEnds[sample]) {
      hasCut = true;
      nested.varint(locations.number(source.locationCount) + 1L);
    }
    message.message(SAMPLE_LOCATION_ID, nested);
    nested.clear();
    for (int i = 0; i < source.sampleTypes.size(); i++) {
      nested.varint(values[firstValue + i]);
    }
    message.message(SAMPLE_VALUE, nested);
    for (Map.Entry<String, String> label : labels.entrySet()) {
      nested.clear();
      nested.number(LABEL_KEY, string(label.getKey()));
      nested.number(LABEL_STR, string(label.getValue()));
      message.message(SAMPLE_LABEL, nested);
    }
    top.message(PROFILE_SAMPLE, message);
    flushSome();
  }

  private int location(long id) throws IOException {
    if (id < 1 || id > source.locationCount) {
      throw new IOException("not a profile: a sample names location " + id);
    }
    return locations.number((int) id - 1);
  }

  /** Writes the tables that the samples need; the gzipped profile. */
  byte[] finish(boolean withComments) throws IOException {
    for (int i = 0; i < locations.size(); i++) {
      location(i, locations.item(i));
    }
    for (int i = 0; i < functions.size(); i++) {
      function(i, functions.item(i));
    }
    for (int i = 0; i < mappings.size(); i++) {
      mapping(i, mappings.item(i));
    }
    if (withComments) {
      for (int comment : source.comments) {
        top.number(PROFILE_COMMENT, string(comment));
      }
    }
    flush();
    out.finish();
    return result.toByteArray();
  }

  private void location(int position, int location) throws IOException {
    boolean cut = hasCut && location == source.locationCount;
    int mapping = cut ? source.mappings.size() : source.locations[3 * location] - 1;
    int function = cut ? source.functionCount : source.locations[3 * location + 1] - 1;
    nested.clear();
    nested.number(LINE_FUNCTION_ID, functions.number(function) + 1L);
    nested.number(LINE_LINE, cut ? 0 : source.locations[3 * location + 2]);
    message.clear();
    message.number(LOCATION_ID, position + 1L);
    message.number(LOCATION_MAPPING_ID, mappings.number(mapping) + 1L);
    message.number(LOCATION_ADDRESS, cut ? 0 : source.addresses[location]);
    message.message(LOCATION_LINE, nested);
    top.message(PROFILE_LOCATION, message);
    flushSome();
  }

  private void function(int position, int function) throws IOException {
    boolean cut = function == source.functionCount;
    message.clear();
    message.number(FUNCTION_ID, position + 1L);
    message.number(
        FUNCTION_NAME,
        cut ? string(ProfilePieces.CUT_NAME, CUT_FRAME) : string(source.functions[2 * function]));
    message.number(FUNCTION_FILENAME, cut ? 0 : string(source.functions[2 * function + 1]));
    top.message(PROFILE_FUNCTION, message);
    flushSome();
  }

  private void mapping(int position, int mapping) throws IOException {
    message.clear();
    message.number(MAPPING_ID, position + 1L);
    if (mapping == source.mappings.size()) {
      message.number(MAPPING_FILENAME, string("[jebpf]", CUT_FILE));
      message.flag(MAPPING_HAS_FUNCTIONS, true);
    } else {
      ProfileSource.MappingEntry entry = source.mappings.get(mapping);
      message.number(MAPPING_MEMORY_START, entry.start());
      message.number(MAPPING_MEMORY_LIMIT, entry.limit());
      message.number(MAPPING_FILE_OFFSET, entry.offset());
      message.number(MAPPING_FILENAME, string(entry.file()));
      message.number(MAPPING_BUILD_ID, string(entry.buildId()));
      for (int i = 0; i < entry.flags().length; i++) {
        message.flag(MAPPING_HAS_FUNCTIONS + i, entry.flags()[i]);
      }
    }
    top.message(PROFILE_MAPPING, message);
    flushSome();
  }

  private void valueType(int field, ProfileSource.ValueType type) throws IOException {
    message.clear();
    message.number(VALUE_TYPE_TYPE, string(type.type()));
    message.number(VALUE_TYPE_UNIT, string(type.unit()));
    top.message(field, message);
  }

  private long string(int index) throws IOException {
    if (stringNumbers[index] == 0) {
      byte[] bytes = source.strings.get(index);
      String text = new String(bytes, StandardCharsets.UTF_8);
      stringNumbers[index] = (int) string(text, bytes) + 1;
    }
    return stringNumbers[index] - 1L;
  }

  private long string(String text) throws IOException {
    Integer known = ownStrings.get(text);
    return known == null ? string(text, text.getBytes(StandardCharsets.UTF_8)) : known;
  }

  /** A string stands once in the table, whether it comes from the source or from us. */
  private long string(String text, byte[] bytes) throws IOException {
    Integer known = ownStrings.putIfAbsent(text, stringCount);
    if (known != null) {
      return known;
    }
    nestedString.clear();
    nestedString.bytes(PROFILE_STRING_TABLE, bytes, bytes.length);
    bodyBytes += nestedString.size();
    nestedString.writeTo(out);
    return stringCount++;
  }

  private void flushSome() throws IOException {
    if (top.size() > 6000) {
      flush();
    }
  }

  private void flush() throws IOException {
    bodyBytes += top.size();
    top.writeTo(out);
    top.clear();
  }
}
