package io.jebpf.bpf;

/**
 * A sleep that other threads can end, and the kernel when its buffer fills, for a thread that
 * sleeps often. Unlike {@code LockSupport.park} it costs the same however many threads of the
 * process are parked, see {@code jebpf_alarm_wait} in jebpf_native.c. {@link #await} is the
 * owner's; {@link #ring} is any thread's at any time, {@link #close} the owner's.
 */
public final class Alarm implements AutoCloseable {
  /** In a shorter sleep the buffer does not fill, as far as whoever sleeps knows. */
  private static final long WATCHED_NANOS = 50_000_000L;

  /** When the kernel is to wake who sleeps: {@code enum jebpf_until}. */
  public enum Until {
    /** It need not. */
    RUNG,
    /** Also when its buffer fills. */
    FULL,
    /** Also when a walk ended in code that is in no known mapping. */
    UNKNOWN
  }

  /** Is told how somebody sleeps. */
  interface Watch {
    void asleep(Until until);
  }

  private final KernelCalls calls;
  private final Watch watch;
  private int fd;
  private final int listenFd;

  private Alarm(KernelCalls calls, int fd, int listenFd, Watch watch) {
    this.calls = calls;
    this.fd = fd;
    this.listenFd = listenFd;
    this.watch = watch;
  }

  /** One that only threads ring. */
  static Alarm open(NativeRuntime runtime) throws KernelException {
    return open(runtime.kernel(), -1, until -> {});
  }

  /** One that this ring buffer's wake-ups ring as well, asked for through {@code watch}. */
  static Alarm open(KernelCalls calls, int ringFd, Watch watch) throws KernelException {
    int fd = openFd(calls);
    int listenFd = calls.alarmListen(fd, ringFd);
    if (listenFd < 0) {
      calls.close(fd);
      throw refused("epoll", -listenFd);
    }
    return new Alarm(calls, fd, listenFd, watch);
  }

  /** What rings, alone: for whoever waits for it in a way of his own. The caller closes it. */
  static int openFd(KernelCalls calls) throws KernelException {
    int fd = calls.alarmOpen();
    if (fd < 0) {
      throw refused("eventfd", -fd);
    }
    return fd;
  }

  private static KernelException refused(String call, int error) {
    return new KernelException(call, error, "raise the limit of open files (ulimit -n)");
  }

  /**
   * Sleeps for so long, up to a millisecond more, or until it rings; a ring that nobody waited for
   * counts.
   */
  public void await(long nanos) {
    await(nanos, Until.FULL);
  }

  /** As above; a short sleep is not watched by the kernel. */
  public void await(long nanos, Until until) {
    boolean watched = nanos >= WATCHED_NANOS;
    if (watched) {
      watch.asleep(until);
    }
    calls.alarmWait(listenFd, fd, Math.max(0, nanos));
    if (watched) {
      watch.asleep(Until.RUNG);
    }
  }

  /** Nothing once it is closed. */
  public synchronized void ring() {
    if (fd >= 0) {
      calls.alarmRing(fd);
    }
  }

  @Override
  public synchronized void close() {
    if (fd >= 0) {
      calls.close(listenFd);
      calls.close(fd);
      fd = -1;
    }
  }
}
