package io.jebpf.it.workload;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Allocates hard in a small heap, so that the collector's threads take much of the CPU. Argument:
 * seconds.
 */
public final class GcLoad {
  private static final int KEPT_MAX = 20_000;

  private GcLoad() {}

  public static void main(String[] args) throws InterruptedException {
    AgentGate.await();
    long end = System.nanoTime() + Long.parseLong(args[0]) * 1_000_000_000L;
    Thread[] threads = new Thread[2];
    for (int i = 0; i < threads.length; i++) {
      threads[i] = new Thread(() -> allocate(end), "allocator-" + i);
      threads[i].start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
  }

  static void allocate(long end) {
    Deque<Object[]> kept = new ArrayDeque<>();
    while (System.nanoTime() < end) {
      Object[] block = new Object[ThreadLocalRandom.current().nextInt(8, 200)];
      block[0] = kept.peekLast();
      kept.add(block);
      if (kept.size() > KEPT_MAX) {
        kept.removeFirst()[0] = null;
      }
    }
    Burn.sink = kept.size();
  }
}
