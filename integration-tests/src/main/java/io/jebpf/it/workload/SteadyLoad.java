package io.jebpf.it.workload;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Threads that do the same small piece of work over and over, and what they got done. Arguments:
 * threads, seconds before it is measured, seconds in which it is. Prints {@code pieces}, {@code
 * wall} and {@code cpu} nanoseconds of that time, the CPU of the whole process.
 */
public final class SteadyLoad {
  /** About 0.1 ms. */
  private static final int STEPS = 50_000;

  private SteadyLoad() {}

  public static void main(String[] args) throws Exception {
    AgentGate.await();
    AtomicLong done = new AtomicLong();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < Integer.parseInt(args[0]); i++) {
      threads.add(Thread.ofPlatform().daemon().name("work-" + i).start(() -> work(done)));
    }
    Thread.sleep(1000 * Long.parseLong(args[1]));
    long pieces = done.get();
    long wall = System.nanoTime();
    long cpu = cpuNanos();
    Thread.sleep(1000 * Long.parseLong(args[2]));
    System.out.println("pieces=" + (done.get() - pieces));
    System.out.println("wall=" + (System.nanoTime() - wall));
    System.out.println("cpu=" + (cpuNanos() - cpu));
  }

  private static void work(AtomicLong done) {
    long x = 1;
    while (true) {
      x = Burn.spin(STEPS, x);
      Burn.sink = x;
      done.incrementAndGet();
    }
  }

  private static long cpuNanos() {
    return ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class)
        .getProcessCpuTime();
  }
}
