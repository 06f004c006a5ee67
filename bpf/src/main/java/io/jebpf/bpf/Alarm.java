package io.jebpf.bpf;

/**
 * A sleep that other threads can end, for a thread that sleeps often. Unlike {@code
 * LockSupport.park} it costs the same however many threads of the process are parked, see {@code
 * jebpf_alarm_wait} in jebpf_native.c. {@link #await} is the owner's; {@link #ring} is any thread's
 * at any time, {@link #close} the owner's.
 */
public final class Alarm implements AutoCloseable {
  private final KernelCalls calls;
  private int fd;

  private Alarm(KernelCalls calls, int fd) {
    this.calls = calls;
    this.fd = fd;
  }

  public static Alarm open(NativeRuntime runtime) throws KernelException {
    int fd = runtime.kernel().alarmOpen();
    if (fd < 0) {
      throw new KernelException("eventfd", -fd, "raise the limit of open files (ulimit -n)");
    }
    return new Alarm(runtime.kernel(), fd);
  }

  /** Sleeps for so long, or until it rings; a ring that nobody waited for counts. */
  public void await(long nanos) {
    calls.alarmWait(fd, Math.max(0, nanos));
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
      calls.close(fd);
      fd = -1;
    }
  }
}
