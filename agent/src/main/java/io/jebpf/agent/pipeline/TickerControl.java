package io.jebpf.agent.pipeline;

import io.jebpf.agent.engine.OffCpuEngine;

/**
 * The ticker's period: what is asked for, and what the budget leaves of it. Owner: thread
 * "jebpf-reader"; {@link #ask} is for any thread.
 */
final class TickerControl {
  /** Rates are counted in ticks per 100,000 seconds, so that the budget's whole numbers do. */
  private static final long RATE_NANOS = 100_000_000_000_000L;

  private static final long PERIOD_NANOS_MAX = 1_000_000_000L;

  private final OffCpuEngine engine;
  private final Budget budget;
  private volatile long askedNanos;
  private long nanos;
  private long changes;

  TickerControl(OffCpuEngine engine, Budget budget, long askedNanos) {
    this.engine = engine;
    this.budget = budget;
    this.askedNanos = engine.isPresent() ? askedNanos : 0;
  }

  /** Asks for another period; 0 takes no stacks. It holds within the next step. */
  void ask(long periodNanos) {
    if (!engine.isPresent()) {
      throw new IllegalStateException("waits are not accounted for here");
    }
    askedNanos = periodNanos;
  }

  long asked() {
    return askedNanos;
  }

  /** The period now; 0 while no stacks are taken. */
  long period() {
    return nanos;
  }

  /** Times the budget or a request changed the period. */
  long changes() {
    return changes;
  }

  /** Does what was asked for; true when something changed. */
  boolean apply() {
    long asked = askedNanos;
    boolean due = asked != nanos && (asked == 0 || nanos == 0 || asked > nanos);
    if (due) {
      set(asked);
    }
    return due;
  }

  /** Once a second: keeps to the budget. True when the period grew because of it. */
  boolean keepTo(long programNanos, long elapsedNanos) {
    long asked = askedNanos;
    if (asked == 0 || nanos == 0) {
      return false;
    }
    int rate =
        budget.next(
            (int) (RATE_NANOS / asked), (int) (RATE_NANOS / nanos), programNanos, elapsedNanos);
    long next = rate == (int) (RATE_NANOS / asked) ? asked : RATE_NANOS / rate;
    next = Math.min(PERIOD_NANOS_MAX, next);
    boolean grew = next > nanos;
    if (next != nanos) {
      set(next);
    }
    return grew && next > asked;
  }

  /** For good. What {@link #period} says stays, for the last window's report. */
  void stop() {
    if (nanos != 0) {
      engine.period(0);
    }
  }

  private void set(long next) {
    engine.period(next);
    changes += nanos == 0 ? 0 : 1; // its start is no change
    nanos = next;
  }
}
