package io.jebpf.it.workload;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Threads of every kind: long names, a name changed while running, names beyond ASCII, many short
 * lives, virtual threads. Argument: milliseconds of CPU per thread.
 */
public final class ThreadLoad {
  private ThreadLoad() {}

  public static void main(String[] args) throws Exception {
    long millis = Long.parseLong(args[0]);
    AgentGate.await();
    List<Thread> threads = new ArrayList<>();
    threads.add(
        start(
            "a thread with a name longer than the kernel's fifteen characters",
            () -> named(millis)));
    threads.add(start("tråd-größe-線程", () -> named(millis)));
    threads.add(
        start(
            "before",
            () -> {
              Thread.currentThread().setName("after the change");
              named(millis);
            }));
    for (Thread thread : threads) {
      thread.join();
    }
    for (int i = 0; i < 200; i++) {
      Thread thread = start("short-" + i % 10, () -> shortLived(5));
      thread.join();
    }
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> futures = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        futures.add(executor.submit(() -> virtual(millis / 5)));
      }
      for (Future<?> future : futures) {
        future.get();
      }
    }
    System.out.println("done=1");
  }

  private static Thread start(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.start();
    return thread;
  }

  static void named(long millis) {
    Burn.cpuMillis(millis);
  }

  static void shortLived(long millis) {
    Burn.cpuMillis(millis);
  }

  /** Burns by wall time: a virtual thread has no CPU clock. */
  static void virtual(long millis) {
    for (int i = 0; i < 4; i++) {
      long end = System.nanoTime() + millis * 1_000_000 / 4;
      while (System.nanoTime() < end) {
        Burn.sink = Burn.spin(20_000, Burn.sink);
      }
      Thread.yield();
    }
  }
}
