package io.jebpf.it.workload;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/** Burns CPU by the clock of the calling thread. */
public final class Burn {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  /** Takes results, so that the compiler cannot drop the work. */
  public static volatile long sink;

  private Burn() {}

  /** CPU time of the calling thread in nanoseconds; virtual threads have none. */
  public static long cpuNanos() {
    long nanos = THREADS.getCurrentThreadCpuTime();
    if (nanos < 0) {
      throw new IllegalStateException("no CPU clock for " + Thread.currentThread());
    }
    return nanos;
  }

  /** Burns CPU time, not wall time, of the calling thread. */
  public static void cpuMillis(long millis) {
    long end = cpuNanos() + millis * 1_000_000;
    while (cpuNanos() < end) {
      sink = spin(20_000, sink);
    }
  }

  /** A chain of dependent steps that no compiler can shorten. */
  public static long spin(int steps, long seed) {
    long x = seed | 1;
    for (int i = 0; i < steps; i++) {
      x ^= x << 13;
      x ^= x >>> 7;
      x ^= x << 17;
    }
    return x;
  }
}
