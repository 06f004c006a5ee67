package io.jebpf.bpf;

/** What a thread does: enum jebpf_state of jebpf_types.h, in its order. */
public enum ThreadState {
  RUNNING,
  /** Waits for a CPU: preempted, or woken and not yet running. */
  RUNNABLE,
  /** Interruptible sleep. */
  BLOCKED,
  /** Uninterruptible sleep: disk, page faults, some locks of the kernel. */
  DISK,
  /** By a signal or a debugger. */
  STOPPED,
  /** Gone. */
  ENDED;

  private static final ThreadState[] STATES = values();

  static ThreadState of(int number) {
    int state = number & (Layout.CLOCK_STATES - 1);
    return state < STATES.length ? STATES[state] : STOPPED;
  }
}
