package io.jebpf.agent.options;

/**
 * What the user asked for about waits.
 *
 * @param tickNanos interval at which stacks of waiting threads are taken; 0 for none
 * @param idle whether idle waits are in the profiles
 * @param wakerNanos waits of this length and more name their waker
 * @param wakerStack whether they have the waker's stack on top of their own
 * @param virtualThreads whether parks of virtual threads are looked at
 */
public record OffCpuOptions(
    long tickNanos, boolean idle, long wakerNanos, boolean wakerStack, boolean virtualThreads) {
  /** Shortest interval that makes sense; longest that can be asked for. */
  public static final long TICK_NANOS_MIN = 100_000L;

  public static final long TICK_NANOS_MAX = 1_000_000_000L;

  /** Nothing is loaded. */
  public static final OffCpuOptions OFF = new OffCpuOptions(0, false, 0, false, false);

  public OffCpuOptions {
    if (!isTick(tickNanos) || wakerNanos < 0) {
      throw new IllegalArgumentException("tick " + tickNanos + ", waker " + wakerNanos);
    }
  }

  /** Whether an interval can be asked for; 0 can. */
  public static boolean isTick(long nanos) {
    return nanos == 0 || (nanos >= TICK_NANOS_MIN && nanos <= TICK_NANOS_MAX);
  }

  boolean isOn() {
    return tickNanos > 0;
  }
}
