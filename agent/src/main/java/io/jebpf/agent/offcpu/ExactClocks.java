package io.jebpf.agent.offcpu;

import io.jebpf.bpf.ClockView;
import io.jebpf.bpf.ThreadState;
import java.util.Arrays;

/**
 * Adds the exact clocks of all threads up, ended ones included, and gives the slots of those back.
 * Owner: thread "jebpf-reader". A pass costs about 0.2 us a thread and no system call.
 */
final class ExactClocks {
  private static final int STATES = ThreadState.values().length;
  private static final int CAPACITY_FIRST = 1 << 8;
  private static final int KINDS = Settlement.KINDS;
  private static final ThreadState[] WAITS = {
    ThreadState.BLOCKED, ThreadState.STOPPED, ThreadState.DISK, ThreadState.RUNNABLE
  };

  /** Slots that may be taken by new threads until their ended ones are given back. */
  private static final int FRESH_MAX = 2048;

  private final ThreadClockSource source;
  private final ThreadClock clock = new ThreadClock();
  private long[] last = new long[CAPACITY_FIRST * STATES];
  private long[] lastStarts = new long[CAPACITY_FIRST];
  private int[] lastSwitches = new int[CAPACITY_FIRST];
  private long[] lastPassed = new long[CAPACITY_FIRST * KINDS];
  private final long[] passed = new long[KINDS];
  private final long[] sums = new long[STATES];
  private long switches;
  private int threads;
  private int slotsAtPass;

  /** Is shown each thread of a pass, those that have ended for the last time. */
  interface Visitor {
    /**
     * @param clock only valid in the call
     * @param passed time in waits that ended since the last pass, by {@link Settlement}'s kinds; of
     *     a quiet thread whose present wait was not met, in that as well
     */
    void thread(ThreadClock clock, long[] passed);

    /** Whether the present wait of a quiet thread was met all the same. */
    default boolean isMet(ThreadClock clock) {
      return true;
    }
  }

  ExactClocks(ThreadClockSource source) {
    this.source = source;
  }

  /** Whether so many threads came that a pass is due. */
  boolean isDue() {
    return source.slots() - slotsAtPass > FRESH_MAX;
  }

  /** Reads every clock as it is at {@code nowNanos}. */
  void pass(long nowNanos, Visitor visitor) {
    source.begin();
    int slots = source.slots();
    slotsAtPass = slots;
    reserve(slots);
    threads = 0;
    for (int slot = 0; slot < slots; slot++) {
      if (source.read(slot, nowNanos, clock)) {
        clock.slot = slot;
        add(slot, clock.quiet && !visitor.isMet(clock) ? clock.nanos : clock.passed);
        threads += clock.ended ? 0 : 1;
        visitor.thread(clock, passed);
      }
    }
  }

  /**
   * @param waited by state, of which what was not there at the last pass has passed
   */
  private void add(int slot, long[] waited) {
    long[] before = last;
    int base = slot * STATES;
    if (lastStarts[slot] != clock.threadStart) { // the slot is another thread's now
      Arrays.fill(before, base, base + STATES, 0);
      lastStarts[slot] = clock.threadStart;
      lastSwitches[slot] = 0;
      Arrays.fill(lastPassed, slot * KINDS, (slot + 1) * KINDS, 0);
    }
    for (int i = 0; i < STATES; i++) {
      sums[i] += clock.nanos[i] - before[base + i];
      before[base + i] = clock.nanos[i];
    }
    Arrays.fill(passed, 0);
    for (ThreadState state : WAITS) {
      passed[Settlement.kind(state)] += waited[state.ordinal()];
    }
    for (int kind = 0; kind < KINDS; kind++) {
      long total = passed[kind];
      passed[kind] -= lastPassed[slot * KINDS + kind];
      lastPassed[slot * KINDS + kind] = total;
    }
    switches += clock.switches - lastSwitches[slot] & ClockView.SWITCHES_MASK;
    lastSwitches[slot] = clock.switches;
    if (clock.ended) {
      lastStarts[slot] = 0;
      source.release(slot);
    }
  }

  private void reserve(int slots) {
    if (slots > lastStarts.length) {
      int capacity = Math.max(slots, 2 * lastStarts.length);
      last = Arrays.copyOf(last, capacity * STATES);
      lastStarts = Arrays.copyOf(lastStarts, capacity);
      lastSwitches = Arrays.copyOf(lastSwitches, capacity);
      lastPassed = Arrays.copyOf(lastPassed, capacity * KINDS);
    }
  }

  /** All threads since the start, as of the last pass. */
  ClockTotals totals() {
    return new ClockTotals(
        sums[ThreadState.RUNNING.ordinal()],
        sums[ThreadState.RUNNABLE.ordinal()],
        sums[ThreadState.BLOCKED.ordinal()] + sums[ThreadState.STOPPED.ordinal()],
        sums[ThreadState.DISK.ordinal()]);
  }

  /** Nobody asks for the sleep of the thread in that slot, as of the last pass. */
  void quiet(int slot) {
    source.quiet(slot);
  }

  long switches() {
    return switches;
  }

  /** Threads alive at the last pass. */
  int threads() {
    return threads;
  }

  /**
   * Whether a slot, which may be -1, holds the clock of the thread that the kernel numbers so: then
   * {@link #tid} and {@link #threadStart} are that thread's until the next call of anything.
   */
  boolean isOf(int slot, int kernelTid) {
    return slot >= 0 && source.read(slot, 0, clock) && clock.kernelTid == kernelTid;
  }

  int tid() {
    return clock.tid;
  }

  long threadStart() {
    return clock.threadStart;
  }
}
