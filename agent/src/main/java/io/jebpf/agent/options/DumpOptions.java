package io.jebpf.agent.options;

import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * When the last seconds are written by themselves.
 *
 * @param on events: {@code exit}, {@code oom}, {@code file}
 * @param lastNanos how much of the past a dump has
 * @param hourlyMax most dumps in an hour, whatever the trigger
 * @param cpu CPU time of the process above a share of one core
 * @param offCpu share of the time off CPU of a group of threads
 * @param gcNanos pause of the garbage collector that triggers; 0 for none
 */
public record DumpOptions(
    Set<String> on,
    long lastNanos,
    int hourlyMax,
    Optional<Level> cpu,
    Optional<Level> offCpu,
    long gcNanos) {
  static final Set<String> EVENTS = Set.of("exit", "oom", "file");

  public static final DumpOptions OFF =
      new DumpOptions(Set.of(), 60_000_000_000L, 6, Optional.empty(), Optional.empty(), 0);

  /** Threads, share and length: {@code http-*:80%/10s}, or {@code 150%/10s} of the process. */
  private static final Pattern LEVEL = Pattern.compile("(?:(.{1,100}):)?(\\d{1,5})%/(\\d{1,4})s");

  /**
   * A level that has to be passed for a while.
   *
   * @param threads names of threads, {@code *} for any text; empty for all
   * @param share 1 is one core, or the whole time
   */
  public record Level(String threads, double share, long nanos) {
    static Optional<Level> parse(String text, boolean ofThreads) {
      Matcher parts = LEVEL.matcher(text);
      if (!parts.matches() || (parts.group(1) != null) != ofThreads) {
        return Optional.empty();
      }
      long seconds = Long.parseLong(parts.group(3));
      return seconds == 0
          ? Optional.empty()
          : Optional.of(
              new Level(
                  ofThreads ? parts.group(1) : "",
                  Integer.parseInt(parts.group(2)) / 100.0,
                  seconds * 1_000_000_000L));
    }
  }

  public DumpOptions {
    on = Set.copyOf(on);
    if (lastNanos <= 0 || hourlyMax < 0 || gcNanos < 0) {
      throw new IllegalArgumentException("dumps: " + lastNanos + ", " + hourlyMax);
    }
  }

  /** Whether there is nothing to watch. */
  public boolean isOff() {
    return hourlyMax == 0 || on.isEmpty() && cpu.isEmpty() && offCpu.isEmpty() && gcNanos == 0;
  }
}
