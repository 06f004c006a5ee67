package io.jebpf.agent.offcpu;

import io.jebpf.bpf.ThreadState;

/** One reading of a thread's exact clocks; reused. Times are nanoseconds on CLOCK_MONOTONIC. */
public final class ThreadClock {
  final long[] nanos = new long[ThreadState.values().length]; // by ThreadState
  final long[] passed = new long[ThreadState.values().length]; // without the present state's
  int tid;
  int kernelTid;
  long threadStart;
  long since;
  long turn;
  int switches;
  int slot;
  boolean quiet;
  boolean ended;
  boolean running;
  String comm = "";

  /**
   * Who this is: ids in the process's own numbers and in the kernel's.
   *
   * @param isQuiet see {@link ThreadClockSource#quiet}
   */
  public void thread(int tid, int kernelTid, long threadStartNanos, String comm, boolean isQuiet) {
    this.quiet = isQuiet;
    this.tid = tid;
    this.kernelTid = kernelTid;
    this.threadStart = threadStartNanos;
    this.comm = comm;
  }

  /**
   * What it does, since when.
   *
   * @param turnNanos when it was woken, if it waits for a CPU since then; else 0
   * @param switches how often it left a CPU, of which only differences count: {@link
   *     io.jebpf.bpf.ClockView#SWITCHES_MASK}
   */
  public void state(ThreadState state, long sinceNanos, long turnNanos, int switches) {
    this.ended = state == ThreadState.ENDED;
    this.running = state == ThreadState.RUNNING;
    this.since = sinceNanos;
    this.turn = turnNanos;
    this.switches = switches;
  }

  /**
   * @param nanos time in the state, up to now
   * @param passed of it what was over when the present state began
   */
  public void nanos(ThreadState state, long nanos, long passed) {
    this.nanos[state.ordinal()] = nanos;
    this.passed[state.ordinal()] = passed;
  }
}
