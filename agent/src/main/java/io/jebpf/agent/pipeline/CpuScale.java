package io.jebpf.agent.pipeline;

/**
 * Fits the CPU time that a window's samples stand for to the CPU time that the kernel accounts the
 * process for in the same window.
 *
 * <p>Each sample stands for one period of the clock event. On a quiet machine the two agree within
 * about 1 % (99 and 999 Hz, Linux 6.18). On a loaded one they were seen 2.7 % apart, and further
 * while a CPU was away, of which there are no samples; why the former is not established. The
 * shares are the samples', the sum is the kernel's: a ratio estimator. What it did is in the
 * comments, and so is the sum before it.
 */
final class CpuScale {
  /** The kernel's figure moves in steps of 10 ms: below this it is too coarse. */
  static final long EXACT_NANOS_MIN = 1_000_000_000L;

  /** Few samples say little of the sum: then their error is to be seen, not hidden. */
  private static final long SAMPLES_MIN = 50;

  /** Beyond this something else is wrong, and must not be smoothed away. */
  private static final double FACTOR_MIN = 0.9;

  private static final double FACTOR_MAX = 1.25;

  private CpuScale() {}

  /** What to multiply the samples' CPU time with; 1 where the exact figure does not serve. */
  static double of(long exactNanos, long sampledNanos, long samples) {
    if (exactNanos < EXACT_NANOS_MIN || samples < SAMPLES_MIN || sampledNanos <= 0) {
      return 1;
    }
    double factor = (double) exactNanos / sampledNanos;
    return factor < FACTOR_MIN || factor > FACTOR_MAX ? 1 : factor;
  }
}
