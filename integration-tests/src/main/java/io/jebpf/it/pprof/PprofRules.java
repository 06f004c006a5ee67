package io.jebpf.it.pprof;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The contract that makes a profile acceptable to Parca, Pyroscope, {@code go tool pprof}, Alloy
 * and speedscope at once (facts/protocols.md, section 0). Each broken rule is a line that starts
 * with the number of the rule.
 */
public final class PprofRules {
  private static final int STRING_BYTES_MAX = 65_535;
  private static final int SAMPLES_MAX = 16_000;
  private static final int BODY_BYTES_MAX = 4 << 20;
  private static final int LABELS_MAX = 100;
  private static final int FRAMES_MAX = 1_000;
  private static final int REPORTED_MAX = 50;
  private static final Pattern TYPE_NAME = Pattern.compile("[a-zA-Z_][a-zA-Z0-9_]*");

  private final RawProfile profile;
  private final List<String> broken = new ArrayList<>();

  private PprofRules(RawProfile profile) {
    this.profile = profile;
  }

  /** The broken rules, empty for a good profile; at most 50 lines. */
  public static List<String> broken(RawProfile profile) {
    PprofRules rules = new PprofRules(profile);
    rules.strings();
    rules.types();
    rules.times();
    rules.tables();
    rules.samples();
    return List.copyOf(rules.broken);
  }

  private void strings() {
    require(profile.gzipped, "1: the body is not gzipped");
    if (profile.strings.isEmpty() || !profile.strings.get(0).isEmpty()) {
      require(false, "1: string_table[0] is not \"\"");
    }
    Set<String> seen = new HashSet<>();
    for (String text : profile.strings) {
      int bytes = text.getBytes(StandardCharsets.UTF_8).length;
      require(bytes <= STRING_BYTES_MAX, "1: a string has " + bytes + " bytes");
      require(seen.add(text), "1: the string \"" + text + "\" stands twice in the table");
    }
  }

  private void types() {
    require(!profile.sampleTypes.isEmpty(), "7: no sample_type");
    for (RawProfile.ValueType type : profile.sampleTypes) {
      typeName("sample type", type);
    }
    require(profile.hasPeriodType, "3: no period_type");
    typeName("period type", profile.periodType);
    require(profile.period > 0, "3: period is " + profile.period);
  }

  private void typeName(String what, RawProfile.ValueType type) {
    for (long index : new long[] {type.type(), type.unit()}) {
      String name = string(index, what);
      require(TYPE_NAME.matcher(name).matches(), "4: " + what + " has the name \"" + name + "\"");
    }
  }

  private void times() {
    long hourNanos = 3_600_000_000_000L;
    long ageNanos = System.currentTimeMillis() * 1_000_000L - profile.timeNanos;
    require(
        ageNanos < 24 * hourNanos && ageNanos > -hourNanos / 6,
        "5: time_nanos " + profile.timeNanos + " is not the wall time of a recent profile");
    require(
        profile.durationNanos > 0,
        "6: duration_nanos is " + profile.durationNanos + " in a delta profile");
  }

  private void tables() {
    boolean named = false;
    for (int i = 0; i < profile.mappings.size(); i++) {
      RawProfile.Mapping mapping = profile.mappings.get(i);
      require(mapping.id() == i + 1, "2: mapping " + i + " has id " + mapping.id());
      named |= !string(mapping.filename(), "mapping").isEmpty();
      require(mapping.hasFunctions(), "9: mapping " + mapping.id() + " has not has_functions");
    }
    require(named, "9: no mapping with a file name");
    for (int i = 0; i < profile.functions.size(); i++) {
      RawProfile.Function function = profile.functions.get(i);
      require(function.id() == i + 1, "2: function " + i + " has id " + function.id());
      String name = string(function.name(), "function");
      require(!name.isEmpty(), "9: function " + function.id() + " has no name");
      string(function.filename(), "function file");
      require(
          string(function.systemName(), "system name").isEmpty(),
          "14: function "
              + name
              + " has the system_name "
              + string(function.systemName(), "system name"));
    }
    for (int i = 0; i < profile.locations.size(); i++) {
      location(i, profile.locations.get(i));
    }
  }

  private void location(int position, RawProfile.Location location) {
    require(location.id() == position + 1, "2: location " + position + " has id " + location.id());
    require(
        location.mapping() >= 1 && location.mapping() <= profile.mappings.size(),
        "9: location " + location.id() + " has mapping " + location.mapping());
    require(
        location.lines().size() == 1,
        "10: location " + location.id() + " has " + location.lines().size() + " lines");
    for (RawProfile.Line line : location.lines()) {
      require(
          line.function() >= 1 && line.function() <= profile.functions.size(),
          "2: location " + location.id() + " names function " + line.function());
      require(line.line() >= 0, "2: location " + location.id() + " has line " + line.line());
    }
  }

  private void samples() {
    require(profile.samples.size() <= SAMPLES_MAX, "11: " + profile.samples.size() + " samples");
    require(
        profile.bodyBytes <= BODY_BYTES_MAX, "11: " + profile.bodyBytes + " bytes uncompressed");
    Set<String> seen = new HashSet<>();
    for (RawProfile.Sample sample : profile.samples) {
      sample(sample);
      String identity = Arrays.toString(sample.locations()) + sample.labels();
      require(seen.add(identity), "8: two samples with one stack and label set: " + identity);
    }
  }

  private void sample(RawProfile.Sample sample) {
    require(
        sample.values().length == profile.sampleTypes.size(),
        "7: a sample has " + sample.values().length + " values");
    boolean positive = false;
    for (long value : sample.values()) {
      require(value >= 0, "7: a sample has the value " + value);
      positive |= value > 0;
    }
    require(positive, "7: a sample has no value above 0");
    require(sample.locations().length >= 1, "11: a sample has no frames");
    require(
        sample.locations().length <= FRAMES_MAX,
        "11: a sample has " + sample.locations().length + " frames");
    for (long location : sample.locations()) {
      require(
          location >= 1 && location <= profile.locations.size(),
          "2: a sample names location " + location);
    }
    require(
        sample.labels().size() <= LABELS_MAX,
        "11: a sample has " + sample.labels().size() + " labels");
    Set<Long> keys = new HashSet<>();
    for (RawProfile.Label label : sample.labels()) {
      String key = string(label.key(), "label key");
      require(!key.isEmpty() && !key.startsWith("pprof::"), "12: label key \"" + key + "\"");
      require(keys.add(label.key()), "12: label " + key + " stands twice in a sample");
      require(label.num() == 0 && label.numUnit() == 0, "12: label " + key + " is numeric");
      require(!string(label.str(), "label").isEmpty(), "12: label " + key + " is empty");
    }
  }

  private String string(long index, String what) {
    if (index < 0 || index >= profile.strings.size()) {
      require(false, "1: " + what + " names string " + index);
      return "?";
    }
    return profile.strings.get((int) index);
  }

  private void require(boolean holds, String rule) {
    if (!holds && broken.size() < REPORTED_MAX) {
      broken.add(rule);
    }
  }
}
