package io.jebpf.it.workload;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A pool of four threads that compute and wait in turn. Argument: seconds. Prints {@code ready=1}
 * when the agent samples, and {@code rounds=<n>} at the end.
 */
public final class PoolLoad {
  private static final int THREADS = 4;

  private PoolLoad() {}

  public static void main(String[] args) throws InterruptedException {
    AgentGate.await();
    System.out.println("ready=1");
    long end = System.nanoTime() + Long.parseLong(args[0]) * 1_000_000_000L;
    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    java.util.concurrent.atomic.AtomicLong rounds = new java.util.concurrent.atomic.AtomicLong();
    for (int i = 0; i < THREADS; i++) {
      pool.execute(
          () -> {
            while (System.nanoTime() < end) {
              Burn.cpuMillis(10);
              rest();
              rounds.incrementAndGet();
            }
          });
    }
    pool.close();
    System.out.println("rounds=" + rounds);
  }

  private static void rest() {
    try {
      Thread.sleep(30);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
