package io.jebpf.agent.pprof;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Adds up pprof off-CPU profiles for people: what threads waited for, which, and where. For the
 * command {@code summary}; not on the agent's own path.
 */
public final class WaitSummary {
  private final SummaryText quality = new SummaryText();
  private final Map<String, Long> reasons = new HashMap<>();
  private final Map<String, Long> threads = new HashMap<>();
  private final Map<String, Long> places = new HashMap<>();
  private final Map<String, Long> total = new HashMap<>();
  private long files;
  private long waits;
  private long asleepNanos;
  private long queuedNanos;
  private long durationNanos;

  /** Adds one file. */
  public void add(Path file) throws IOException {
    ProfileReading.of(file).show(new Adding());
    files++;
  }

  public boolean isEmpty() {
    return files == 0;
  }

  /** Text for a terminal; ends with a newline. */
  public String text() {
    StringBuilder out = new StringBuilder(8192);
    out.append(
        String.format(
            Locale.ROOT,
            "%d files, %d waits, %.3f s asleep and %.3f s waiting for a CPU in %.1f s%n",
            files,
            waits,
            asleepNanos / 1e9,
            queuedNanos / 1e9,
            durationNanos / 1e9));
    quality.appendComments(out);
    long whole = asleepNanos + queuedNanos;
    SummaryText.top(out, "what was waited for", reasons, whole);
    SummaryText.top(out, "the thread that waited", threads, whole);
    SummaryText.top(out, "the nearest method outside the JDK", places, whole);
    SummaryText.top(out, "total time off CPU", total, whole);
    return out.toString();
  }

  /** The nearest frame of the application; where there is none, the nearest of all. */
  private static String place(String[] leafFirst) {
    for (String function : leafFirst) {
      boolean java =
          function.indexOf('.') > 0 && !function.contains("::") && !function.startsWith("[");
      if (java && !function.matches("(java|javax|jdk|sun|com\\.sun)\\..*")) {
        return function;
      }
    }
    return leafFirst.length == 0 ? "?" : leafFirst[leafFirst.length - 1];
  }

  private final class Adding implements ProfileReading.Sink {
    @Override
    public void duration(long duration) {
      durationNanos += duration;
    }

    @Override
    public void comment(String text) {
      quality.addComment(text);
    }

    @Override
    public void sample(String[] leafFirst, long[] values, Map<String, String> labels) {
      if (values.length != 3) {
        throw new IllegalArgumentException(
            "not an off-CPU profile of jebpf: " + values.length + " values a sample");
      }
      waits += values[0];
      asleepNanos += values[1];
      queuedNanos += values[2];
      long nanos = values[1] + values[2];
      reasons.merge(labels.getOrDefault("wait", "other"), values[1], Long::sum);
      reasons.merge("a CPU (run queue)", values[2], Long::sum);
      threads.merge(labels.getOrDefault("thread", "?"), nanos, Long::sum);
      places.merge(place(leafFirst), nanos, Long::sum);
      Set<String> seen = new HashSet<>();
      for (String function : leafFirst) {
        if (seen.add(function)) {
          total.merge(function, nanos, Long::sum);
        }
      }
    }
  }
}
