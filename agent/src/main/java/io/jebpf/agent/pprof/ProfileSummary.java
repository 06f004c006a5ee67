package io.jebpf.agent.pprof;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Adds up pprof CPU profiles for people: samples, quality data from the comments, and the functions
 * with most CPU time. For the command {@code summary}; not on the agent's own path.
 */
public final class ProfileSummary {
  private final SummaryText quality = new SummaryText();
  private final Map<String, Long> self = new HashMap<>();
  private final Map<String, Long> total = new HashMap<>();
  private long files;
  private long samples;
  private long nanos;
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
            "%d files, %d samples, %.3f s of CPU time in %.1f s%n",
            files,
            samples,
            nanos / 1e9,
            durationNanos / 1e9));
    quality.appendComments(out);
    SummaryText.top(out, "self CPU time", self, nanos);
    SummaryText.top(out, "total CPU time", total, nanos);
    return out.toString();
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
      if (values.length != 2) {
        throw new IllegalArgumentException(
            "not a CPU profile of jebpf: " + values.length + " values a sample");
      }
      samples += values[0];
      nanos += values[1];
      Set<String> seen = new HashSet<>();
      for (int i = 0; i < leafFirst.length; i++) {
        if (i == 0) {
          self.merge(leafFirst[i], values[1], Long::sum);
        }
        if (seen.add(leafFirst[i])) {
          total.merge(leafFirst[i], values[1], Long::sum);
        }
      }
    }
  }
}
