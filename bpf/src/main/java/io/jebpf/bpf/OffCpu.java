package io.jebpf.bpf;

import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The off-CPU side: exact clocks of all threads, kept at each context switch, and the ticker that
 * takes the stacks of waits. Any thread may call; {@link #runTicker} blocks its caller until {@link
 * #stop}.
 */
public final class OffCpu implements AutoCloseable {
  // struct jebpf_ticker of jebpf_ticker.c: 8 bytes a field
  private static final int TICKER_STOP = 0;
  private static final int TICKER_PERIOD = 8;
  private static final int TICKER_TICKS = 16;
  private static final int TICKER_LATE = 24;
  private static final int TICKER_ERRORS = 32;
  private static final int TICKER_LAST_ERROR = 40;
  private static final int TICKER_PARKS = 48;
  private static final int TICKER_BELL_FD = 56;
  private static final int TICKER_ALARM_FD = 64;
  private static final int TICKER_QUIET = 72;
  private static final int TICKER_BYTES = 80;

  /** Of sides that are closed, with no thread in their ticker: they are used again. */
  private static final ConcurrentLinkedQueue<NativeWords> SPARE = new ConcurrentLinkedQueue<>();

  private final KernelCalls kernel;
  private final BpfCalls bpf;
  private final Target target;
  private final int switchFd;
  private final int wakingFd;
  private final int tickFd;
  private final int edgeFd;
  private final ThreadClocks clocks;
  private final NativeWords ticker = words();
  private final int alarmFd; // ends the ticker's sleep
  private final ByteBuffer nothing = ByteBuffer.allocateDirect(1);
  private final Parks parks;
  private int switchLink = -1;
  private final boolean iterator;
  private int wakingLink = -1;
  private int iteratorLink = -1;
  private int edgeLink = -1;
  private volatile boolean ticking;
  private boolean closed;

  OffCpu(
      KernelCalls kernel,
      BpfCalls bpf,
      Target target,
      ThreadClocks clocks,
      int switchFd,
      int wakingFd,
      int tickFd,
      int edgeFd,
      boolean iterator,
      int bellFd,
      Parks parks)
      throws KernelException {
    this.kernel = kernel;
    this.bpf = bpf;
    this.target = target;
    this.clocks = clocks;
    this.switchFd = switchFd;
    this.wakingFd = wakingFd;
    this.tickFd = tickFd;
    this.edgeFd = edgeFd;
    this.iterator = iterator;
    this.parks = parks;
    this.alarmFd = Alarm.openFd(kernel);
    ticker.set(TICKER_PARKS, parks.address());
    ticker.set(TICKER_BELL_FD, bellFd);
    ticker.set(TICKER_ALARM_FD, alarmFd);
  }

  /**
   * Starts the clocks of a process, which must be the calling one: its address space is the one
   * whose stacks can be read.
   *
   * @param tgid in the kernel's numbers
   */
  public synchronized void start(int tgid) throws KernelException {
    if (switchLink >= 0) {
      return;
    }
    if (iterator) {
      iteratorLink = link(tickFd);
      edgeLink = link(edgeFd);
    }
    target.clocks(tgid, System.nanoTime());
    wakingLink = attach(wakingFd, "sched_waking");
    switchLink = attach(switchFd, "sched_switch");
  }

  private int link(int programFd) throws KernelException {
    int fd = bpf.linkTaskIterator(programFd, (int) ProcessHandle.current().pid());
    if (fd < 0) {
      detach();
      throw new KernelException(
          "bpf(BPF_LINK_CREATE, iter/task)",
          -fd,
          fd == -Errno.E2BIG || fd == -Errno.EINVAL
              ? "Linux 6.1 has what this needs"
              : Advice.forLoad(-fd));
    }
    return fd;
  }

  private int attach(int programFd, String tracepoint) throws KernelException {
    int fd = bpf.attachTracepoint(programFd);
    if (fd < 0) {
      detach();
      throw new KernelException(
          "bpf(BPF_RAW_TRACEPOINT_OPEN, " + tracepoint + ")", -fd, Advice.forLoad(-fd));
    }
    return fd;
  }

  /** Takes a {@link #stop} back: the next {@link #runTicker} runs. Before its thread is started. */
  public void rearm() {
    ticker.set(TICKER_STOP, 0);
  }

  /**
   * Takes the stacks of waits until {@link #stop}, at once if that was before: one native call,
   * which no safepoint waits for.
   *
   * @param periodNanos one tick falls into each stretch of this length
   */
  public void runTicker(long periodNanos) {
    ticking = true;
    try {
      period(periodNanos);
      kernel.tick(ticker.address(), tickFd, iteratorLink);
    } finally {
      ticking = false;
    }
  }

  /** Changes the ticker's period; holds from the next tick on. */
  public void period(long nanos) {
    if (nanos <= 0) {
      throw new IllegalArgumentException("a period of " + nanos + " ns");
    }
    ticker.set(TICKER_PERIOD, nanos);
  }

  /** Ends {@link #runTicker} within two periods. */
  public synchronized void stop() {
    ticker.set(TICKER_STOP, 1);
    if (!closed) {
      kernel.alarmRing(alarmFd);
    }
  }

  public long ticks() {
    return ticker.get(TICKER_TICKS);
  }

  /**
   * Stretches of one period without a tick since no thread had left a CPU: it would have met
   * nobody.
   */
  public long quietTicks() {
    return ticker.get(TICKER_QUIET);
  }

  /** Stretches of one period that went by without a tick, for want of a CPU. */
  public long lateTicks() {
    return ticker.get(TICKER_LATE);
  }

  /** Ticks that failed; the last error number is in {@link #lastTickError}. */
  public long failedTicks() {
    return ticker.get(TICKER_ERRORS);
  }

  public int lastTickError() {
    return (int) ticker.get(TICKER_LAST_ERROR);
  }

  /**
   * Has the scheduler asked which of the sleepers were woken and have no CPU yet: from now on their
   * clocks say so. Before the clocks are read; costs some 0.5 us a thread that has just gone to
   * sleep. Owner: who reads the clocks.
   */
  public void findWoken() throws KernelException {
    int result = iterator ? iterate() : bpf.testRun(edgeFd);
    if (result < 0) {
      throw new KernelException("running the program on_edge", -result, "");
    }
  }

  private int iterate() {
    int fd = bpf.createIterator(edgeLink);
    if (fd < 0) {
      return fd;
    }
    try {
      return kernel.read(fd, nothing); // the program prints nothing: one read goes by all threads
    } finally {
      kernel.close(fd);
    }
  }

  /** Parks of virtual threads, which the same ticks fall into. */
  public Parks parks() {
    return parks;
  }

  public ThreadClocks clocks() {
    return clocks;
  }

  private void detach() {
    target.clocks(0, 0);
    if (switchLink >= 0) {
      kernel.close(switchLink);
    }
    if (wakingLink >= 0) {
      kernel.close(wakingLink);
    }
    if (iteratorLink >= 0) {
      kernel.close(iteratorLink);
    }
    switchLink = -1;
    wakingLink = -1;
    if (edgeLink >= 0) {
      kernel.close(edgeLink);
    }
    iteratorLink = -1;
    edgeLink = -1;
  }

  /** Detaches. The ticker must have returned. */
  @Override
  public synchronized void close() {
    parks.close();
    detach();
    if (!closed && !ticking) { // else the ticker may use both yet
      kernel.close(alarmFd);
      SPARE.add(ticker);
    }
    closed = true;
  }

  private static NativeWords words() {
    NativeWords words = SPARE.poll();
    if (words == null) {
      return NativeWords.allocate(TICKER_BYTES / Long.BYTES);
    }
    for (int at = 0; at < TICKER_BYTES; at += Long.BYTES) {
      words.set(at, 0);
    }
    return words;
  }
}
