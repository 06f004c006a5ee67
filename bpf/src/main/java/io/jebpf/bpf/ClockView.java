package io.jebpf.bpf;

import java.nio.ByteBuffer;

/** One thread's exact clocks at one moment, in nanoseconds. Reused by its owner. */
public final class ClockView {
  /** {@link #switches} begins at 0 again above this. */
  public static final int SWITCHES_MASK = (1 << 30) - 1;

  private final long[] nanos = new long[Layout.CLOCK_STATES];
  private final long[] passed = new long[Layout.CLOCK_STATES];
  private ThreadState state = ThreadState.ENDED;
  private long firstNanos;
  private int switches;
  private long wakeups;
  private long threadStartNanos;
  private long sinceNanos;
  private long turnNanos;
  private int tid;
  private int kernelTid;
  private boolean quiet;
  private String comm = "";

  /**
   * @param sequence of the clock, which does not change meanwhile
   */
  void copy(ByteBuffer in, int base, int sequence, long nowNanos, CommNames names) {
    firstNanos = in.getLong(base + Layout.CLOCK_FIRST);
    sinceNanos = in.getLong(base + Layout.CLOCK_SINCE);
    long ran = sinceNanos - firstNanos;
    for (int i = 0; i < Layout.WAIT_STATES; i++) {
      long waited = in.getLong(base + Layout.CLOCK_WAITED + i * Long.BYTES);
      nanos[ThreadState.RUNNABLE.ordinal() + i] = waited;
      ran -= waited;
    }
    nanos[ThreadState.RUNNING.ordinal()] = ran;
    System.arraycopy(nanos, 0, passed, 0, nanos.length);
    state = ThreadState.of(in.get(base + Layout.CLOCK_STATE));
    quiet = in.get(base + Layout.CLOCK_QUIET) != 0;
    int changes = sequence >>> 1;
    switches = state == ThreadState.RUNNING ? changes >>> 1 : (changes + 1 >>> 1) & SWITCHES_MASK;
    wakeups = Integer.toUnsignedLong(in.getInt(base + Layout.CLOCK_WAKEUPS));
    threadStartNanos = in.getLong(base + Layout.CLOCK_THREAD_START);
    tid = in.getInt(base + Layout.CLOCK_TID);
    kernelTid = in.getInt(base + Layout.CLOCK_KERNEL_TID);
    comm = names.at(in, base + Layout.CLOCK_COMM);
    addPresent(sinceNanos, in.getLong(base + Layout.CLOCK_WOKEN), nowNanos);
  }

  /** What the thread does since its last change belongs to the clocks too. */
  private void addPresent(long sinceNanos, long wokenNanos, long nowNanos) {
    turnNanos = 0;
    if (state == ThreadState.ENDED || nowNanos <= sinceNanos) {
      return;
    }
    boolean waits = state != ThreadState.RUNNING && state != ThreadState.RUNNABLE;
    if (waits && wokenNanos >= sinceNanos && wokenNanos < nowNanos) {
      turnNanos = wokenNanos;
      nanos[state.ordinal()] += wokenNanos - sinceNanos;
      nanos[ThreadState.RUNNABLE.ordinal()] += nowNanos - wokenNanos;
      return;
    }
    nanos[state.ordinal()] += nowNanos - sinceNanos;
  }

  /** Time spent in a state since the clock's start. */
  public long nanos(ThreadState state) {
    return nanos[state.ordinal()];
  }

  /** The same without what the thread does now: of a wait that goes on, nothing is in it. */
  public long passedNanos(ThreadState state) {
    return passed[state.ordinal()];
  }

  public ThreadState state() {
    return state;
  }

  /** When the clock started, on CLOCK_MONOTONIC: at the thread's start, or at ours. */
  public long firstNanos() {
    return firstNanos;
  }

  /** How often it left a CPU, up to {@link #SWITCHES_MASK}. */
  public int switches() {
    return switches;
  }

  public long wakeups() {
    return wakeups;
  }

  /** Start of the thread on the boot time clock. */
  public long threadStartNanos() {
    return threadStartNanos;
  }

  /** Thread id in the PID namespace of the process. */
  public int tid() {
    return tid;
  }

  /** The same thread in the kernel's numbers, as wakers have them. */
  public int kernelTid() {
    return kernelTid;
  }

  /** Whether its sleep is not met, see {@link ThreadClocks#quiet}. */
  public boolean isQuiet() {
    return quiet;
  }

  /** When the present state began, on CLOCK_MONOTONIC: of a wait, its start. */
  public long sinceNanos() {
    return sinceNanos;
  }

  /**
   * When the present wait became one for a CPU, as of the last {@link OffCpu#findWoken}; 0: it did
   * not, or was one all along.
   */
  public long turnNanos() {
    return turnNanos;
  }

  /** The kernel's name of the thread when it was first seen. */
  public String comm() {
    return comm;
  }
}
