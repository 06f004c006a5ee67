package io.jebpf.agent.pipeline;

import io.jebpf.agent.engine.Engine;

/**
 * How the reader shares its CPU. As a rule whatever else wakes there goes first: a request that
 * comes in must not wait until a window is put together. Where the reader itself gets a CPU late,
 * or samples come faster than it takes them, it is a thread like any other until that has been over
 * for a while, since samples would be lost. Owner: thread "jebpf-reader".
 */
final class Courtesy {
  private static final long LATE_NANOS = 20_000_000L;
  private static final long CROWDED_NANOS = 10_000_000_000L;

  private final Engine engine;
  private long plannedNanos = Long.MAX_VALUE;
  private long crowdedUntilNanos;
  private boolean crowded = true; // until the first step

  Courtesy(Engine engine) {
    this.engine = engine;
  }

  /** The next step is to be then. */
  void plan(long nanos) {
    plannedNanos = nanos;
  }

  /**
   * A step begins.
   *
   * @param busy whether more has come than at the usual pace
   */
  void begin(long nowNanos, boolean busy) {
    if (busy || nowNanos - LATE_NANOS > plannedNanos) {
      crowdedUntilNanos = nowNanos + CROWDED_NANOS;
      become(true);
    } else if (nowNanos - crowdedUntilNanos >= 0) {
      become(false);
    }
  }

  private void become(boolean next) {
    if (next != crowded) {
      crowded = next;
      engine.slice(next ? 0 : Engine.COURTEOUS_NANOS);
    }
  }
}
