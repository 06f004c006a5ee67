package io.jebpf.agent.pprof;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.UnknownFieldSet;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPInputStream;

/**
 * Reads a profile with protobuf-java, that is, with none of our own code, and lists which rules of
 * the contract it breaks (facts/protocols.md, section 0; the numbers are its).
 */
public final class PprofRules {
  public record Sample(List<String> leafFirst, List<Long> values, Map<String, String> labels) {}

  public final List<String> broken = new ArrayList<>();
  public final List<String> comments = new ArrayList<>();
  public final List<Sample> samples = new ArrayList<>();
  public final List<String> mappingFiles = new ArrayList<>();
  public final Map<String, Set<Integer>> mappingFlags = new LinkedHashMap<>();
  public long timeNanos;
  public long durationNanos;
  public long period;
  private final UnknownFieldSet profile;
  private final List<String> strings = new ArrayList<>();

  public PprofRules(byte[] file) throws IOException {
    byte[] body;
    try (GZIPInputStream gzip = new GZIPInputStream(new ByteArrayInputStream(file))) {
      body = gzip.readAllBytes(); // rule 1: gzip
    }
    profile = UnknownFieldSet.parseFrom(body);
    strings();
    header();
    List<Long> functions = functions();
    mappings();
    List<String> locations = locations(functions.size());
    samples(locations);
    for (long comment : numbers(profile, 13)) {
      comments.add(string(comment));
    }
  }

  public String comment(String key) {
    return comments.stream()
        .filter(comment -> comment.startsWith(key + "="))
        .map(comment -> comment.substring(key.length() + 1))
        .findFirst()
        .orElse("");
  }

  private void check(boolean holds, String rule) {
    if (!holds) {
      broken.add(rule);
    }
  }

  private void strings() {
    for (ByteString bytes : profile.getField(6).getLengthDelimitedList()) {
      check(bytes.size() <= 65_535, "1: string of " + bytes.size() + " bytes");
      try {
        ByteBuffer buffer = bytes.asReadOnlyByteBuffer();
        strings.add(StandardCharsets.UTF_8.newDecoder().decode(buffer).toString());
      } catch (CharacterCodingException e) {
        check(false, "1: string " + strings.size() + " is not UTF-8");
        strings.add("?");
      }
    }
    check(!strings.isEmpty() && strings.get(0).isEmpty(), "1: string_table[0] is not empty");
    check(new HashSet<>(strings).size() == strings.size(), "a string is there twice");
  }

  private String string(long index) {
    boolean inside = index >= 0 && index < strings.size();
    check(inside, "string index " + index + " of " + strings.size());
    return inside ? strings.get((int) index) : "?";
  }

  private void header() throws IOException {
    List<UnknownFieldSet> types = messages(profile, 1);
    List<String> names = new ArrayList<>();
    for (UnknownFieldSet type : types) {
      names.add(typeName(type));
    }
    check(names.equals(List.of("samples/count", "cpu/nanoseconds")), "sample types " + names);
    List<UnknownFieldSet> periodTypes = messages(profile, 11);
    check(periodTypes.size() == 1, "3: no period_type");
    check(
        !periodTypes.isEmpty() && typeName(periodTypes.get(0)).equals("cpu/nanoseconds"),
        "3: period_type");
    timeNanos = number(profile, 9);
    durationNanos = number(profile, 10);
    period = number(profile, 12);
    check(timeNanos > 1_600_000_000_000_000_000L, "5: time_nanos " + timeNanos);
    check(durationNanos > 0, "6: duration_nanos " + durationNanos);
    check(period > 0, "period " + period);
    check(string(number(profile, 14)).equals("cpu"), "default_sample_type");
  }

  private String typeName(UnknownFieldSet type) {
    String name = string(number(type, 1));
    String unit = string(number(type, 2));
    check(name.matches("[a-zA-Z_][a-zA-Z0-9_]*"), "4: type " + name);
    check(unit.matches("[a-zA-Z_][a-zA-Z0-9_]*"), "4: unit " + unit);
    return name + "/" + unit;
  }

  private List<Long> functions() throws IOException {
    List<Long> ids = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (UnknownFieldSet function : messages(profile, 5)) {
      ids.add(number(function, 1));
      check(number(function, 1) == ids.size(), "2: function id " + number(function, 1));
      check(!string(number(function, 2)).isEmpty(), "function without a name");
      check(!function.hasField(3), "14: system_name is set");
      check(seen.add(number(function, 2) + " " + number(function, 4)), "function twice");
    }
    return ids;
  }

  private void mappings() throws IOException {
    for (UnknownFieldSet mapping : messages(profile, 3)) {
      String file = string(number(mapping, 5));
      mappingFiles.add(file);
      check(number(mapping, 1) == mappingFiles.size(), "2: mapping id");
      check(!file.isEmpty(), "9: mapping without a file name");
      check(number(mapping, 7) == 1, "9: mapping " + file + " without has_functions");
      Set<Integer> flags = mappingFlags.computeIfAbsent(file, key -> new HashSet<>());
      for (int field = 7; field <= 10; field++) {
        if (number(mapping, field) == 1) {
          flags.add(field);
        }
      }
    }
    check(!mappingFiles.isEmpty(), "9: no mapping");
  }

  private List<String> locations(int functions) throws IOException {
    List<UnknownFieldSet> all = messages(profile, 5);
    List<String> names = new ArrayList<>();
    for (UnknownFieldSet location : messages(profile, 4)) {
      long mapping = number(location, 2);
      check(number(location, 1) == names.size() + 1, "2: location id");
      check(mapping >= 1 && mapping <= mappingFiles.size(), "9: mapping_id " + mapping);
      List<UnknownFieldSet> lines = messages(location, 4);
      check(lines.size() == 1, "10: " + lines.size() + " lines in a location");
      long function = number(lines.get(0), 1);
      boolean known = function >= 1 && function <= functions;
      check(known, "function_id " + function);
      names.add(known ? string(number(all.get((int) function - 1), 2)) : "?");
    }
    return names;
  }

  private void samples(List<String> locations) throws IOException {
    Set<String> seen = new HashSet<>();
    for (UnknownFieldSet sample : messages(profile, 2)) {
      List<Long> ids = numbers(sample, 1);
      List<Long> values = numbers(sample, 2);
      Map<String, String> labels = new LinkedHashMap<>();
      for (UnknownFieldSet label : messages(sample, 3)) {
        check(!label.hasField(3), "12: numeric label");
        String old = labels.put(string(number(label, 1)), string(number(label, 2)));
        check(old == null, "a label key twice");
      }
      List<String> stack = new ArrayList<>();
      for (long id : ids) {
        boolean known = id >= 1 && id <= locations.size();
        check(known, "location id " + id);
        stack.add(known ? locations.get((int) id - 1) : "?");
      }
      check(!ids.isEmpty(), "sample without a stack");
      check(values.size() == 2, "7: " + values.size() + " values");
      check(values.stream().allMatch(value -> value >= 0), "7: negative value");
      check(values.stream().anyMatch(value -> value > 0), "7: all values are 0");
      check(seen.add(ids + " " + labels), "8: stack and labels twice");
      check(labels.size() <= 100, "11: labels");
      samples.add(new Sample(stack, values, labels));
    }
    check(samples.size() <= 16_000, "11: " + samples.size() + " samples");
  }

  private static List<UnknownFieldSet> messages(UnknownFieldSet message, int field)
      throws IOException {
    List<UnknownFieldSet> nested = new ArrayList<>();
    for (ByteString bytes : message.getField(field).getLengthDelimitedList()) {
      nested.add(UnknownFieldSet.parseFrom(bytes));
    }
    return nested;
  }

  private static long number(UnknownFieldSet message, int field) {
    List<Long> values = message.getField(field).getVarintList();
    return values.isEmpty() ? 0 : values.get(values.size() - 1);
  }

  private static List<Long> numbers(UnknownFieldSet message, int field) throws IOException {
    List<Long> values = new ArrayList<>(message.getField(field).getVarintList());
    for (ByteString packed : message.getField(field).getLengthDelimitedList()) {
      CodedInputStream in = packed.newCodedInput();
      while (!in.isAtEnd()) {
        values.add(in.readRawVarint64());
      }
    }
    return values;
  }
}
