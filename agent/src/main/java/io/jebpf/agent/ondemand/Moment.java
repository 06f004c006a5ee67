package io.jebpf.agent.ondemand;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Moments as users write them: {@code now}, an age such as {@code -90s}, {@code -500ms} or {@code
 * -2m}, or a time in UTC such as {@code 2026-11-26T10:15:30Z}. Pure but for the clocks.
 */
public final class Moment {
  private static final Pattern AGE = Pattern.compile("-(\\d{1,6})(ms|s|m|h)");

  private Moment() {}

  /** The moment on the clock of System.nanoTime. */
  public static long nanos(String text) throws OnDemandException {
    long now = System.nanoTime();
    if (text.equals("now")) {
      return now;
    }
    Matcher age = AGE.matcher(text);
    if (age.matches()) {
      return now - Long.parseLong(age.group(1)) * unitNanos(age.group(2));
    }
    try {
      Duration ago = Duration.between(Instant.parse(text), Instant.now());
      return now - ago.toNanos();
    } catch (DateTimeException | ArithmeticException e) {
      throw OnDemandException.request(
          "moment " + shown(text) + ": write now, an age such as -90s, or 2026-11-26T10:15:30Z");
    }
  }

  /** A length such as {@code 90s} in nanoseconds. */
  static long lengthNanos(String text) throws OnDemandException {
    Matcher age = AGE.matcher("-" + text);
    if (!age.matches()) {
      throw OnDemandException.request(
          "length " + shown(text) + ": write a number with ms, s, m or h, such as 90s");
    }
    return Long.parseLong(age.group(1)) * unitNanos(age.group(2));
  }

  /** Wall-clock time of a moment that is not long ago. */
  static Instant wall(long nanos) {
    return Instant.now().minusNanos(System.nanoTime() - nanos);
  }

  private static long unitNanos(String unit) {
    return switch (unit) {
      case "ms" -> 1_000_000L;
      case "s" -> 1_000_000_000L;
      case "m" -> 60_000_000_000L;
      default -> 3_600_000_000_000L;
    };
  }

  /** What strangers sent is repeated in part only. */
  static String shown(String text) {
    return text.length() <= 40 ? text : text.substring(0, 40) + "…";
  }
}
