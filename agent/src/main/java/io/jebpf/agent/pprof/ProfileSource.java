package io.jebpf.agent.pprof;

import static io.jebpf.agent.pprof.PprofField.*;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/**
 * A finished profile taken apart into flat tables, so that servers can be given it in the pieces
 * and with the labels that they take. Reads what {@link ProfileEncoder} writes: one line per
 * location, string labels only. Owner: one thread.
 *
 * <p>Memory: at most {@link #SAMPLE_BYTES_MAX} of samples are held, whatever the file has. When
 * {@link #hasMore}, the file is read again with {@link #nextSample} as the first sample; the rest
 * of the tables is bounded by the window that the profile was made of.
 */
public final class ProfileSource {
  static final int SAMPLE_BYTES_MAX = 4 << 20;

  /** Larger single messages are not ours: the longest string has 64 KiB, a stack 2048 frames. */
  private static final int MESSAGE_BYTES_MAX = 1 << 20;

  record ValueType(int type, int unit) {}

  /** In the order of the table; id is position plus 1. */
  record MappingEntry(
      long start, long limit, long offset, int file, int buildId, boolean[] flags) {}

  final List<ValueType> sampleTypes = new ArrayList<>();
  final List<byte[]> strings = new ArrayList<>();
  final List<MappingEntry> mappings = new ArrayList<>();
  final List<Integer> comments = new ArrayList<>();
  ValueType periodType = new ValueType(0, 0);
  long period;
  long timeNanos;
  long durationNanos;
  int defaultSampleType;

  /** Per location: mapping id, function id, line; and the address. */
  int[] locations = new int[3 * 1024];

  long[] addresses = new long[1024];
  int locationCount;

  /** Per function: name, file. */
  int[] functions = new int[2 * 1024];

  int functionCount;

  /** Packed location ids of all samples, one behind the other. */
  byte[] stacks = new byte[64 << 10];

  /** Per sample: where its stack ends; it begins where the one before ends. */
  int[] stackEnds = new int[1024];

  /** Per sample: one value per sample type. */
  long[] values = new long[2 * 1024];

  /** Per sample: number of its set of labels. */
  int[] labelSetOf = new int[1024];

  int sampleCount;

  private final Map<List<Integer>, Integer> labelSetNumbers = new HashMap<>();
  private final List<List<Integer>> labelSets = new ArrayList<>();
  private int samplesSeen;
  private int nextSample;

  private ProfileSource() {}

  /**
   * Reads a gzipped profile from its sample number {@code firstSample} on.
   *
   * @throws IOException when it cannot be read or is no whole profile of ours
   */
  public static ProfileSource read(InputStream file, int firstSample) throws IOException {
    ProfileSource source = new ProfileSource();
    source.nextSample = firstSample;
    try (InputStream in = new GZIPInputStream(file, 8192)) {
      source.readAll(CodedInputStream.newInstance(in, 8192));
    } catch (IndexOutOfBoundsException | NegativeArraySizeException e) {
      throw new IOException("not a profile: " + e.getMessage(), e);
    }
    source.check();
    return source;
  }

  /** Whether the file has samples behind those that were read. */
  public boolean hasMore() {
    return nextSample < samplesSeen;
  }

  /** Number of the first sample that was not read. */
  public int nextSample() {
    return nextSample;
  }

  public long timeNanos() {
    return timeNanos;
  }

  /** The different sets of labels that samples have, in the order of their numbers. */
  public List<Map<String, String>> labelSets() {
    List<Map<String, String>> sets = new ArrayList<>(labelSets.size());
    for (List<Integer> pairs : labelSets) {
      Map<String, String> set = new LinkedHashMap<>();
      for (int i = 0; i < pairs.size(); i += 2) {
        set.put(text(pairs.get(i)), text(pairs.get(i + 1)));
      }
      sets.add(Collections.unmodifiableMap(set));
    }
    return sets;
  }

  String text(int string) {
    return new String(strings.get(string), StandardCharsets.UTF_8);
  }

  int stackStart(int sample) {
    return sample == 0 ? 0 : stackEnds[sample - 1];
  }

  private void readAll(CodedInputStream in) throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      int field = WireFormat.getTagFieldNumber(tag);
      if (WireFormat.getTagWireType(tag) != WireFormat.WIRETYPE_LENGTH_DELIMITED) {
        number(field, in.readInt64());
        continue;
      }
      int length = in.readRawVarint32();
      if (length < 0 || length > MESSAGE_BYTES_MAX) {
        throw new IOException("not a profile: field " + field + " has " + length + " bytes");
      }
      if (field == PROFILE_SAMPLE && !isWanted(length)) {
        in.skipRawBytes(length);
      } else {
        message(field, in.readRawBytes(length));
      }
    }
  }

  /** Samples are taken one behind the other, until there is no more room. */
  private boolean isWanted(int bytes) {
    boolean wanted =
        samplesSeen == nextSample && (sampleCount == 0 || stackBytes() + bytes <= SAMPLE_BYTES_MAX);
    samplesSeen++;
    nextSample += wanted ? 1 : 0;
    return wanted;
  }

  private int stackBytes() {
    return sampleCount == 0 ? 0 : stackEnds[sampleCount - 1];
  }

  private void number(int field, long value) {
    switch (field) {
      case PROFILE_TIME_NANOS -> timeNanos = value;
      case PROFILE_DURATION_NANOS -> durationNanos = value;
      case PROFILE_PERIOD -> period = value;
      case PROFILE_COMMENT -> comments.add((int) value);
      case PROFILE_DEFAULT_SAMPLE_TYPE -> defaultSampleType = (int) value;
      default -> {} // not written by us
    }
  }

  private void message(int field, byte[] bytes) throws IOException {
    switch (field) {
      case PROFILE_SAMPLE_TYPE -> sampleTypes.add(valueType(bytes));
      case PROFILE_SAMPLE -> sample(bytes);
      case PROFILE_MAPPING -> mapping(bytes);
      case PROFILE_LOCATION -> location(bytes);
      case PROFILE_FUNCTION -> function(bytes);
      case PROFILE_STRING_TABLE -> strings.add(bytes);
      case PROFILE_PERIOD_TYPE -> periodType = valueType(bytes);
      default -> {} // not written by us
    }
  }

  /** The numbers of a message of small ones, by field; nested messages are left out. */
  private static long[] numbers(byte[] bytes, int fields) throws IOException {
    long[] numbers = new long[fields + 1];
    ProtoCursor cursor = new ProtoCursor(bytes, 0, bytes.length);
    while (cursor.next()) {
      if (cursor.field() <= fields && cursor.length() < 0) {
        numbers[cursor.field()] = cursor.number();
      }
    }
    return numbers;
  }

  private static ValueType valueType(byte[] bytes) throws IOException {
    long[] fields = numbers(bytes, VALUE_TYPE_UNIT);
    return new ValueType((int) fields[VALUE_TYPE_TYPE], (int) fields[VALUE_TYPE_UNIT]);
  }

  private void sample(byte[] bytes) throws IOException {
    reserveSample(bytes.length);
    int types = sampleTypes.size();
    int end = stackBytes();
    List<Integer> labels = new ArrayList<>(8);
    ProtoCursor cursor = new ProtoCursor(bytes, 0, bytes.length);
    while (cursor.next()) {
      switch (cursor.field()) {
        case SAMPLE_LOCATION_ID -> {
          System.arraycopy(bytes, cursor.start(), stacks, end, cursor.length());
          end += cursor.length();
        }
        case SAMPLE_VALUE -> {
          long[] list = cursor.packed();
          System.arraycopy(list, 0, values, sampleCount * types, Math.min(types, list.length));
        }
        case SAMPLE_LABEL -> label(cursor.nested(), labels);
        default -> {} // not written by us
      }
    }
    stackEnds[sampleCount] = end;
    Integer set = labelSetNumbers.get(labels);
    if (set == null) {
      set = labelSets.size();
      labelSets.add(labels);
      labelSetNumbers.put(labels, set);
    }
    labelSetOf[sampleCount++] = set;
  }

  private void reserveSample(int bytes) {
    if (stackBytes() + bytes > stacks.length) {
      stacks = Arrays.copyOf(stacks, Math.max(2 * stacks.length, stackBytes() + bytes));
    }
    if (sampleCount == stackEnds.length) {
      stackEnds = Arrays.copyOf(stackEnds, 2 * sampleCount);
      labelSetOf = Arrays.copyOf(labelSetOf, 2 * sampleCount);
    }
    if ((sampleCount + 1) * sampleTypes.size() > values.length) {
      values = Arrays.copyOf(values, 2 * values.length);
    }
  }

  private static void label(ProtoCursor message, List<Integer> into) throws IOException {
    int key = 0;
    int text = 0;
    while (message.next()) {
      key = message.field() == LABEL_KEY ? (int) message.number() : key;
      text = message.field() == LABEL_STR ? (int) message.number() : text;
    }
    into.add(key);
    into.add(text);
  }

  private void mapping(byte[] bytes) throws IOException {
    long[] fields = numbers(bytes, MAPPING_HAS_INLINE_FRAMES);
    boolean[] flags = {
      fields[MAPPING_HAS_FUNCTIONS] != 0,
      fields[MAPPING_HAS_FILENAMES] != 0,
      fields[MAPPING_HAS_LINE_NUMBERS] != 0,
      fields[MAPPING_HAS_INLINE_FRAMES] != 0
    };
    mappings.add(
        new MappingEntry(
            fields[MAPPING_MEMORY_START],
            fields[MAPPING_MEMORY_LIMIT],
            fields[MAPPING_FILE_OFFSET],
            (int) fields[MAPPING_FILENAME],
            (int) fields[MAPPING_BUILD_ID],
            flags));
  }

  private void location(byte[] bytes) throws IOException {
    if (locationCount == addresses.length) {
      addresses = Arrays.copyOf(addresses, 2 * locationCount);
      locations = Arrays.copyOf(locations, 6 * locationCount);
    }
    ProtoCursor cursor = new ProtoCursor(bytes, 0, bytes.length);
    while (cursor.next()) {
      switch (cursor.field()) {
        case LOCATION_MAPPING_ID -> locations[3 * locationCount] = (int) cursor.number();
        case LOCATION_ADDRESS -> addresses[locationCount] = cursor.number();
        case LOCATION_LINE -> {
          ProtoCursor line = cursor.nested();
          while (line.next()) {
            if (line.field() == LINE_FUNCTION_ID) {
              locations[3 * locationCount + 1] = (int) line.number();
            } else if (line.field() == LINE_LINE) {
              locations[3 * locationCount + 2] = (int) line.number();
            }
          }
        }
        default -> {} // the id is the position
      }
    }
    locationCount++;
  }

  private void function(byte[] bytes) throws IOException {
    if (2 * functionCount == functions.length) {
      functions = Arrays.copyOf(functions, 2 * functions.length);
    }
    long[] fields = numbers(bytes, FUNCTION_FILENAME);
    functions[2 * functionCount] = (int) fields[FUNCTION_NAME];
    functions[2 * functionCount + 1] = (int) fields[FUNCTION_FILENAME];
    functionCount++;
  }

  /** What is used as an index later has to be one, or the file is none of ours. */
  private void check() throws IOException {
    boolean good = timeNanos > 0 && !sampleTypes.isEmpty() && !strings.isEmpty();
    for (int i = 0; good && i < locationCount; i++) {
      int mapping = locations[3 * i];
      int function = locations[3 * i + 1];
      good =
          mapping >= 1 && mapping <= mappings.size() && function >= 1 && function <= functionCount;
    }
    for (int i = 0; good && i < 2 * functionCount; i++) {
      good = isString(functions[i]);
    }
    for (MappingEntry mapping : mappings) {
      good = good && isString(mapping.file()) && isString(mapping.buildId());
    }
    for (List<Integer> pairs : labelSets) {
      good = good && pairs.stream().allMatch(this::isString);
    }
    good = good && comments.stream().allMatch(this::isString) && isString(defaultSampleType);
    if (!good) {
      throw new IOException("not a whole profile");
    }
  }

  private boolean isString(int index) {
    return index >= 0 && index < strings.size();
  }
}
