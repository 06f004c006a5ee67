package io.jebpf.agent.upload;

import java.util.random.RandomGenerator;

/**
 * How long to wait after the n-th failure in a row: doubled each time up to a limit, and spread at
 * random over its upper half, so that many agents whose server was down do not come back as one.
 */
final class Backoff {
  private static final long FIRST_MILLIS = 1_000;

  /** Long enough that a fleet does not press a server that is down, short enough to notice. */
  static final long LONGEST_MILLIS = 60_000;

  /** When somebody has to do something first. */
  static final long DENIED_MILLIS = 300_000;

  /** A server that asks for more than this has made a mistake. */
  private static final long RETRY_AFTER_MILLIS_MAX = 3_600_000;

  private final RandomGenerator random;

  Backoff(RandomGenerator random) {
    this.random = random;
  }

  /**
   * @param failures in a row, at least 1
   * @param longestMillis limit of the doubling
   * @param retryAfterMillis what the server asks for; the wait is never shorter
   */
  long millis(int failures, long longestMillis, long retryAfterMillis) {
    long doubled = FIRST_MILLIS << Math.min(failures - 1, 20);
    long wait = spread(Math.min(doubled, longestMillis));
    if (retryAfterMillis <= 0) {
      return wait;
    }
    long asked = Math.min(retryAfterMillis, RETRY_AFTER_MILLIS_MAX);
    return Math.max(wait, asked + (long) (random.nextDouble() * asked / 5));
  }

  /** Between a half of a time and all of it. */
  long spread(long time) {
    return (long) (time * (0.5 + random.nextDouble() / 2));
  }

  /** Between nothing and a time. */
  long upTo(long time) {
    return (long) (time * random.nextDouble());
  }
}
