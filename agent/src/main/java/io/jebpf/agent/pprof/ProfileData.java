package io.jebpf.agent.pprof;

import static io.jebpf.agent.pprof.PprofField.*;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/**
 * One pprof profile in memory, of ours or of anybody: what pictures, conversions and comparisons
 * are made from. Not on the agent's own path.
 *
 * @param sampleTypes one for each value of a sample
 * @param samples as they stand in the file
 * @param timeNanos start in nanoseconds since 1970, 0 when unknown
 * @param durationNanos 0 when unknown
 * @param comments what the producer says about its quality
 */
public record ProfileData(
    List<SampleType> sampleTypes,
    List<Sample> samples,
    long timeNanos,
    long durationNanos,
    List<String> comments) {
  /** Most bytes that a profile may have once unpacked: more is no profile but a mistake. */
  private static final int BYTES_MAX = 1 << 29;

  private static final int GZIP_MAGIC = 0x1f;

  public ProfileData {
    sampleTypes = List.copyOf(sampleTypes);
    samples = List.copyOf(samples);
    comments = List.copyOf(comments);
  }

  /** What a value counts, such as cpu in nanoseconds. */
  public record SampleType(String type, String unit) {}

  /**
   * One line of a stack; shared by all samples that have it.
   *
   * @param mapping file of the code, or a name in brackets; empty when the profile has none
   */
  public record Frame(String function, String file, int line, String mapping) {}

  /**
   * A stack with its values.
   *
   * @param frames the leaf first; inlined callees before their caller
   */
  public record Sample(List<Frame> frames, long[] values, Map<String, String> labels) {}

  /**
   * Reads a profile, gzipped or not.
   *
   * @throws IOException when it is none
   */
  public static ProfileData read(byte[] profile) throws IOException {
    byte[] plain = profile;
    if (profile.length > 0 && profile[0] == GZIP_MAGIC) {
      try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(profile))) {
        plain = in.readNBytes(BYTES_MAX);
      }
    }
    try {
      return new Reading(plain).read();
    } catch (IndexOutOfBoundsException e) {
      throw new IOException("no pprof profile: a number points outside its table", e);
    }
  }

  /** Position of a sample type; the last one when there is none of that name. */
  public int valueIndex(String type) {
    for (int i = 0; i < sampleTypes.size(); i++) {
      if (sampleTypes.get(i).type().equals(type)) {
        return i;
      }
    }
    return sampleTypes.size() - 1;
  }

  /**
   * Both together.
   *
   * @throws IllegalArgumentException when they are of different kinds
   */
  public ProfileData plus(ProfileData other) {
    if (!sampleTypes.equals(other.sampleTypes)) {
      throw new IllegalArgumentException(
          "profiles of different kinds: " + sampleTypes + " and " + other.sampleTypes);
    }
    List<Sample> all = new ArrayList<>(samples);
    all.addAll(other.samples);
    return new ProfileData(
        sampleTypes,
        all,
        Math.min(timeNanos, other.timeNanos),
        durationNanos + other.durationNanos,
        comments);
  }

  /** The parts, put together once all tables are known: pprof orders them as it likes. */
  private static final class Reading {
    private final byte[] bytes;
    private final List<String> strings = new ArrayList<>();
    private final List<ProtoCursor> types = new ArrayList<>();
    private final List<ProtoCursor> samples = new ArrayList<>();
    private final List<ProtoCursor> locations = new ArrayList<>();
    private final Map<Long, long[]> functions = new HashMap<>(); // id → name, file
    private final Map<Long, Long> mappings = new HashMap<>(); // id → file
    private final Map<Long, List<Frame>> frames = new HashMap<>(); // location → lines
    private final List<Long> comments = new ArrayList<>();
    private long timeNanos;
    private long durationNanos;

    Reading(byte[] bytes) {
      this.bytes = bytes;
    }

    ProfileData read() throws IOException {
      ProtoCursor in = new ProtoCursor(bytes, 0, bytes.length);
      while (in.next()) {
        switch (in.field()) {
          case PROFILE_SAMPLE_TYPE -> types.add(in.nested());
          case PROFILE_SAMPLE -> samples.add(in.nested());
          case PROFILE_MAPPING -> mapping(in.nested());
          case PROFILE_LOCATION -> locations.add(in.nested());
          case PROFILE_FUNCTION -> function(in.nested());
          case PROFILE_STRING_TABLE -> strings.add(in.text(StandardCharsets.UTF_8));
          case PROFILE_TIME_NANOS -> timeNanos = in.number();
          case PROFILE_DURATION_NANOS -> durationNanos = in.number();
          case PROFILE_COMMENT -> comments.add(in.number());
          default -> {} // says nothing about stacks
        }
      }
      if (strings.isEmpty()) {
        throw new IOException("no pprof profile: it has no strings");
      }
      for (ProtoCursor location : locations) {
        location(location);
      }
      List<SampleType> sampleTypes = new ArrayList<>();
      for (ProtoCursor type : types) {
        sampleTypes.add(sampleType(type));
      }
      List<Sample> read = new ArrayList<>();
      for (ProtoCursor sample : samples) {
        read.add(sample(sample, sampleTypes.size()));
      }
      List<String> said = comments.stream().map(this::string).toList();
      return new ProfileData(sampleTypes, read, timeNanos, durationNanos, said);
    }

    private String string(long index) {
      return strings.get(Math.toIntExact(index));
    }

    private SampleType sampleType(ProtoCursor message) throws IOException {
      long type = 0;
      long unit = 0;
      while (message.next()) {
        type = message.field() == VALUE_TYPE_TYPE ? message.number() : type;
        unit = message.field() == VALUE_TYPE_UNIT ? message.number() : unit;
      }
      return new SampleType(string(type), string(unit));
    }

    private void mapping(ProtoCursor message) throws IOException {
      long id = 0;
      long file = 0;
      while (message.next()) {
        id = message.field() == MAPPING_ID ? message.number() : id;
        file = message.field() == MAPPING_FILENAME ? message.number() : file;
      }
      mappings.put(id, file);
    }

    private void function(ProtoCursor message) throws IOException {
      long id = 0;
      long[] nameAndFile = new long[2];
      while (message.next()) {
        switch (message.field()) {
          case FUNCTION_ID -> id = message.number();
          case FUNCTION_NAME -> nameAndFile[0] = message.number();
          case FUNCTION_FILENAME -> nameAndFile[1] = message.number();
          default -> {} // system name and first line are of no use here
        }
      }
      functions.put(id, nameAndFile);
    }

    private void location(ProtoCursor message) throws IOException {
      long id = 0;
      long mapping = 0;
      long address = 0;
      List<long[]> lines = new ArrayList<>();
      while (message.next()) {
        switch (message.field()) {
          case LOCATION_ID -> id = message.number();
          case LOCATION_MAPPING_ID -> mapping = message.number();
          case LOCATION_ADDRESS -> address = message.number();
          case LOCATION_LINE -> lines.add(line(message.nested()));
          default -> {} // folded or not
        }
      }
      String file = string(mappings.getOrDefault(mapping, 0L));
      List<Frame> named = new ArrayList<>(lines.size());
      for (long[] line : lines) {
        long[] function = functions.getOrDefault(line[0], new long[2]);
        named.add(new Frame(string(function[0]), string(function[1]), (int) line[1], file));
      }
      if (named.isEmpty()) { // not symbolised by its producer
        named.add(new Frame("0x" + Long.toHexString(address), "", 0, file));
      }
      frames.put(id, named);
    }

    private static long[] line(ProtoCursor message) throws IOException {
      long[] functionAndLine = new long[2];
      while (message.next()) {
        if (message.field() == LINE_FUNCTION_ID) {
          functionAndLine[0] = message.number();
        } else if (message.field() == LINE_LINE) {
          functionAndLine[1] = message.number();
        }
      }
      return functionAndLine;
    }

    private Sample sample(ProtoCursor message, int valueCount) throws IOException {
      List<Frame> stack = new ArrayList<>();
      List<Long> values = new ArrayList<>(valueCount);
      Map<String, String> labels = new HashMap<>();
      while (message.next()) {
        switch (message.field()) {
          case SAMPLE_LOCATION_ID -> {
            for (long location : message.packed()) {
              stack.addAll(frames.getOrDefault(location, List.of()));
            }
          }
          case SAMPLE_VALUE -> {
            for (long value : message.packed()) {
              values.add(value);
            }
          }
          case SAMPLE_LABEL -> label(message.nested(), labels);
          default -> {} // nothing else is in a sample
        }
      }
      if (values.size() != valueCount) {
        throw new IOException(
            "no pprof profile: a sample has " + values.size() + " of " + valueCount + " values");
      }
      long[] plain = values.stream().mapToLong(Long::longValue).toArray();
      return new Sample(List.copyOf(stack), plain, labels);
    }

    private void label(ProtoCursor message, Map<String, String> into) throws IOException {
      long key = 0;
      long text = 0;
      while (message.next()) {
        key = message.field() == LABEL_KEY ? message.number() : key;
        text = message.field() == LABEL_STR ? message.number() : text;
      }
      into.put(string(key), string(text));
    }
  }
}
