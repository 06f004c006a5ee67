package io.jebpf.agent.pprof;

import static io.jebpf.agent.pprof.PprofField.*;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;

/**
 * Adds up pprof CPU profiles for people: samples, quality data from the comments, and the functions
 * with most CPU time. For the command {@code summary}; not on the agent's own path.
 */
public final class ProfileSummary {
  private static final int TOP_MAX = 20;

  private final Map<String, long[]> functions = new HashMap<>(); // self, total nanoseconds
  private final Map<String, Long> sums = new TreeMap<>();
  private final Map<String, Set<String>> facts = new TreeMap<>();
  private long files;
  private long samples;
  private long nanos;
  private long durationNanos;

  /** Adds one file. */
  public void add(Path file) throws IOException {
    byte[] bytes;
    try (InputStream in =
        new GZIPInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      bytes = in.readAllBytes();
    }
    new ProfileReading(bytes).addTo(this);
    files++;
  }

  /** Text for a terminal; ends with a newline. */
  public String text() {
    StringBuilder out = new StringBuilder(8192);
    out.append(
        String.format(
            Locale.ROOT,
            "%d files, %d samples, %.3f s of CPU time in %.1f s%n",
            files,
            samples,
            nanos / 1e9,
            durationNanos / 1e9));
    facts.forEach((key, values) -> out.append(key + "=" + String.join(" | ", values) + "\n"));
    sums.forEach((key, value) -> out.append(key + "=" + value + "\n"));
    top(out, "self", 0);
    top(out, "total", 1);
    return out.toString();
  }

  private void top(StringBuilder out, String title, int column) {
    out.append(String.format(Locale.ROOT, "%ntop %d by %s CPU time%n", TOP_MAX, title));
    functions.entrySet().stream()
        .filter(entry -> entry.getValue()[column] > 0)
        .sorted(
            Comparator.<Map.Entry<String, long[]>>comparingLong(e -> -e.getValue()[column])
                .thenComparing(Map.Entry::getKey))
        .limit(TOP_MAX)
        .forEach(
            entry ->
                out.append(
                    String.format(
                        Locale.ROOT,
                        "%10.3f s %6.2f%%  %s%n",
                        entry.getValue()[column] / 1e9,
                        100.0 * entry.getValue()[column] / Math.max(1, nanos),
                        entry.getKey())));
  }

  private void addComment(String comment) {
    int equals = comment.indexOf('=');
    if (equals < 0) {
      return;
    }
    String key = comment.substring(0, equals);
    String value = comment.substring(equals + 1);
    if (QualityComments.isSum(key) && value.matches("-?[0-9]{1,18}")) {
      sums.merge(key, Long.parseLong(value), Long::sum);
    } else {
      facts.computeIfAbsent(key, k -> new java.util.TreeSet<>()).add(value);
    }
  }

  private void addSample(String[] leafFirst, long count, long weight) {
    samples += count;
    nanos += weight;
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < leafFirst.length; i++) {
      long[] times = functions.computeIfAbsent(leafFirst[i], k -> new long[2]);
      times[0] += i == 0 ? weight : 0;
      times[1] += seen.add(leafFirst[i]) ? weight : 0;
    }
  }

  /** One file while it is taken apart. */
  private static final class ProfileReading {
    private final byte[] bytes;
    private final List<String> strings = new ArrayList<>();
    private final Map<Long, Long> functionNames = new HashMap<>();
    private final Map<Long, Long> locationFunctions = new HashMap<>();
    private final List<ProtoCursor> samples = new ArrayList<>();
    private final List<Long> comments = new ArrayList<>();
    private long durationNanos;

    ProfileReading(byte[] bytes) {
      this.bytes = bytes;
    }

    void addTo(ProfileSummary summary) throws IOException {
      ProtoCursor profile = new ProtoCursor(bytes, 0, bytes.length);
      while (profile.next()) {
        switch (profile.field()) {
          case PROFILE_STRING_TABLE -> strings.add(profile.text(StandardCharsets.UTF_8));
          case PROFILE_FUNCTION -> pair(profile.nested(), FUNCTION_ID, FUNCTION_NAME);
          case PROFILE_LOCATION -> location(profile.nested());
          case PROFILE_SAMPLE -> samples.add(profile.nested());
          case PROFILE_COMMENT -> comments.add(profile.number());
          case PROFILE_DURATION_NANOS -> durationNanos = profile.number();
          default -> {} // not needed here
        }
      }
      summary.durationNanos += durationNanos;
      for (long comment : comments) {
        summary.addComment(strings.get((int) comment));
      }
      for (ProtoCursor sample : samples) {
        sample(sample, summary);
      }
    }

    private void pair(ProtoCursor message, int keyField, int valueField) throws IOException {
      long key = 0;
      long value = 0;
      while (message.next()) {
        key = message.field() == keyField ? message.number() : key;
        value = message.field() == valueField ? message.number() : value;
      }
      functionNames.put(key, value);
    }

    private void location(ProtoCursor message) throws IOException {
      long id = 0;
      long function = 0;
      while (message.next()) {
        if (message.field() == LOCATION_ID) {
          id = message.number();
        } else if (message.field() == LOCATION_LINE && function == 0) {
          ProtoCursor line = message.nested();
          while (line.next()) {
            function = line.field() == LINE_FUNCTION_ID ? line.number() : function;
          }
        }
      }
      locationFunctions.put(id, function);
    }

    private void sample(ProtoCursor message, ProfileSummary summary) throws IOException {
      String[] names = {};
      long[] values = {};
      while (message.next()) {
        if (message.field() == SAMPLE_LOCATION_ID) {
          names = Arrays.stream(message.packed()).mapToObj(this::name).toArray(String[]::new);
        } else if (message.field() == SAMPLE_VALUE) {
          values = message.packed();
        }
      }
      if (values.length != 2) {
        throw new IOException("not a CPU profile of jebpf: " + values.length + " values a sample");
      }
      summary.addSample(names, values[0], values[1]);
    }

    private String name(long location) {
      long function = locationFunctions.getOrDefault(location, 0L);
      return strings.get((int) (long) functionNames.getOrDefault(function, 0L));
    }
  }
}
