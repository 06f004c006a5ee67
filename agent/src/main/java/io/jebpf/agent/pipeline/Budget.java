package io.jebpf.agent.pipeline;

/**
 * The self-limit: given what the kernel programs took at the present rate, the rate to go on with.
 * Pure; asked once a second. The rate falls at once, in proportion, and rises slowly, so that it
 * settles below the budget instead of swinging around it.
 */
final class Budget {
  private static final double FALL_MARGIN = 0.9;
  private static final double RISE_BELOW = 0.6;
  private static final double RISE_FACTOR = 1.25;
  private final long millionths;

  Budget(long millionths) {
    this.millionths = millionths;
  }

  /** What the programs may take in a time, for a budget in millionths of a core. */
  static long nanos(long elapsedNanos, long millionths) {
    return elapsedNanos * millionths / 1_000_000;
  }

  /**
   * @param asked what the user wants
   * @param current the rate now
   * @param programNanos taken by the programs in {@code elapsedNanos} at that rate
   */
  int next(int asked, int current, long programNanos, long elapsedNanos) {
    if (asked == 0 || current == 0 || elapsedNanos <= 0) {
      return asked;
    }
    double used = 1e6 * programNanos / elapsedNanos / millionths; // 1.0 is the whole budget
    if (used > 1.0) {
      return Math.max(1, Math.min(current - 1, (int) (current * FALL_MARGIN / used)));
    }
    if (current < asked && used < RISE_BELOW) {
      return Math.min(asked, (int) Math.ceil(current * RISE_FACTOR));
    }
    return Math.min(current, asked);
  }
}
