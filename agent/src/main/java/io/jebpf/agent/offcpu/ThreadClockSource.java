package io.jebpf.agent.offcpu;

/** Where exact clocks come from: the seam between the kernel's map and its reader. */
public interface ThreadClockSource {
  /** A reading of all clocks begins: those of threads that were woken are to say so. */
  void begin();

  /** Slots 0 to this, exclusive, may hold a clock. */
  int slots();

  /** Reads a slot as it is at a moment; false: it holds no clock, or changes all the time. */
  boolean read(int slot, long nowNanos, ThreadClock into);

  /** Nobody asks for the stacks of this thread's sleep: it is not met in it from now on. */
  void quiet(int slot);

  /** The last reading of an ended thread is done: its slot may be used again. */
  void release(int slot);
}
