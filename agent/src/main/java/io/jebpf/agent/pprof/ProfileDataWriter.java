package io.jebpf.agent.pprof;

import static io.jebpf.agent.pprof.PprofField.*;

import io.jebpf.agent.pprof.ProfileData.Frame;
import io.jebpf.agent.pprof.ProfileData.Sample;
import io.jebpf.agent.pprof.ProfileData.SampleType;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;

/**
 * Writes a {@link ProfileData} as a pprof that every known reader takes, by the same rules as
 * {@link ProfileEncoder}; for profiles that were converted and not taken. Equal samples are added
 * up. Owner: one thread.
 */
public final class ProfileDataWriter {
  private final Map<String, Integer> strings = new LinkedHashMap<>();
  private final Map<String, Integer> mappings = new LinkedHashMap<>();
  private final Map<Frame, Integer> locations = new LinkedHashMap<>();
  private final Map<Function, Integer> functions = new LinkedHashMap<>();
  private final ProtoBuffer top = new ProtoBuffer(1 << 16);
  private final ProtoBuffer message = new ProtoBuffer(4096);
  private final ProtoBuffer nested = new ProtoBuffer(4096);

  private record Function(String name, String file) {}

  private record Key(java.util.List<Frame> frames, Map<String, String> labels) {}

  private ProfileDataWriter() {}

  /**
   * Writes it, gzipped; the stream is finished but not closed.
   *
   * @param periodType what one period is of
   * @param period of it between two samples
   */
  public static void write(
      ProfileData profile, SampleType periodType, long period, OutputStream out)
      throws IOException {
    GZIPOutputStream gzip = new GZIPOutputStream(out, 8192);
    new ProfileDataWriter().writeAll(profile, periodType, period, gzip);
    gzip.finish();
  }

  private void writeAll(ProfileData profile, SampleType periodType, long period, OutputStream out)
      throws IOException {
    string("");
    for (SampleType type : profile.sampleTypes()) {
      valueType(PROFILE_SAMPLE_TYPE, type);
    }
    valueType(PROFILE_PERIOD_TYPE, periodType);
    top.number(PROFILE_PERIOD, Math.max(1, period));
    top.number(PROFILE_TIME_NANOS, profile.timeNanos());
    top.number(PROFILE_DURATION_NANOS, Math.max(1, profile.durationNanos()));
    top.number(
        PROFILE_DEFAULT_SAMPLE_TYPE,
        string(profile.sampleTypes().get(profile.sampleTypes().size() - 1).type()));
    for (String comment : profile.comments()) {
      top.number(PROFILE_COMMENT, string(comment));
    }
    mapping("[jvm]"); // the first one is the main binary, and may not be missing
    for (Map.Entry<Key, long[]> sample : added(profile).entrySet()) {
      sample(sample.getKey(), sample.getValue());
    }
    tables();
    top.writeTo(out);
  }

  /** Equal stacks with equal labels are one sample. */
  private static Map<Key, long[]> added(ProfileData profile) {
    Map<Key, long[]> added = new LinkedHashMap<>();
    for (Sample sample : profile.samples()) {
      Key key = new Key(sample.frames(), new HashMap<>(sample.labels()));
      long[] values = added.get(key);
      if (values == null) {
        added.put(key, sample.values().clone());
      } else {
        for (int i = 0; i < values.length; i++) {
          values[i] += sample.values()[i];
        }
      }
    }
    return added;
  }

  private void valueType(int field, SampleType type) {
    message.clear();
    message.number(VALUE_TYPE_TYPE, string(type.type()));
    message.number(VALUE_TYPE_UNIT, string(type.unit()));
    top.message(field, message);
  }

  private void sample(Key key, long[] values) {
    message.clear();
    nested.clear();
    for (Frame frame : key.frames()) {
      nested.varint(location(frame));
    }
    message.message(SAMPLE_LOCATION_ID, nested);
    nested.clear();
    for (long value : values) {
      nested.varint(value);
    }
    message.message(SAMPLE_VALUE, nested);
    for (Map.Entry<String, String> label : new TreeMap<>(key.labels()).entrySet()) {
      nested.clear();
      nested.number(LABEL_KEY, string(label.getKey()));
      nested.number(LABEL_STR, string(label.getValue()));
      message.message(SAMPLE_LABEL, nested);
    }
    top.message(PROFILE_SAMPLE, message);
  }

  private int location(Frame frame) {
    return locations.computeIfAbsent(frame, f -> locations.size() + 1);
  }

  private int mapping(String file) {
    return mappings.computeIfAbsent(file.isEmpty() ? "[unknown]" : file, f -> mappings.size() + 1);
  }

  private int string(String text) {
    return strings.computeIfAbsent(text, t -> strings.size());
  }

  private void tables() {
    for (Map.Entry<Frame, Integer> location : locations.entrySet()) {
      Frame frame = location.getKey();
      int function =
          functions.computeIfAbsent(
              new Function(frame.function(), frame.file()), f -> functions.size() + 1);
      nested.clear();
      nested.number(LINE_FUNCTION_ID, function);
      nested.number(LINE_LINE, frame.line());
      message.clear();
      message.number(LOCATION_ID, location.getValue());
      message.number(LOCATION_MAPPING_ID, mapping(frame.mapping()));
      message.message(LOCATION_LINE, nested);
      top.message(PROFILE_LOCATION, message);
    }
    for (Map.Entry<Function, Integer> function : functions.entrySet()) {
      message.clear();
      message.number(FUNCTION_ID, function.getValue());
      message.number(FUNCTION_NAME, string(function.getKey().name()));
      message.number(FUNCTION_FILENAME, string(function.getKey().file()));
      top.message(PROFILE_FUNCTION, message);
    }
    for (Map.Entry<String, Integer> mapping : mappings.entrySet()) {
      message.clear();
      message.number(MAPPING_ID, mapping.getValue());
      message.number(MAPPING_FILENAME, string(mapping.getKey()));
      message.flag(MAPPING_HAS_FUNCTIONS, true);
      message.flag(MAPPING_HAS_LINE_NUMBERS, mapping.getKey().startsWith("[jvm"));
      top.message(PROFILE_MAPPING, message);
    }
    for (String text : strings.keySet()) { // last: everything above has added to them
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      top.bytes(PROFILE_STRING_TABLE, bytes, bytes.length);
    }
  }
}
