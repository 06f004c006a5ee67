package io.jebpf.it.offcpu;

import io.jebpf.it.workload.AgentGate;
import io.jebpf.it.workload.Burn;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/**
 * A thread that asks for collections, one that computes and is stopped by them, one that sleeps
 * through them. Prints {@code paused=nanoseconds}, by the collector's own account. Arguments:
 * collections, megabytes of live objects.
 */
public final class StallLoad {
  private static final int NODES_PER_MEGABYTE = 1 << 15; // 32 bytes each
  private static volatile boolean over;

  private StallLoad() {}

  private record Node(Node next, long value) {}

  private static long pausedNanos() {
    return ManagementFactory.getGarbageCollectorMXBeans().stream()
            .mapToLong(GarbageCollectorMXBean::getCollectionTime)
            .sum()
        * 1_000_000;
  }

  static void computes() {
    while (!over) {
      Burn.sink = Burn.spin(20_000, Burn.sink);
    }
  }

  static void sleeps() {
    try {
      while (!over) {
        Thread.sleep(30);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  static void collects(int collections) throws InterruptedException {
    for (int i = 0; i < collections; i++) {
      System.gc();
      Thread.sleep(50);
    }
  }

  public static void main(String[] arguments) throws Exception {
    AgentGate.await();
    List<Node> live = new ArrayList<>();
    for (int i = 0; i < Integer.parseInt(arguments[1]); i++) {
      Node list = null;
      for (int j = 0; j < NODES_PER_MEGABYTE; j++) {
        list = new Node(list, j);
      }
      live.add(list);
    }
    System.gc(); // everything is old now, and both methods below have been compiled
    Thread computing = new Thread(StallLoad::computes, "computes");
    Thread sleeping = new Thread(StallLoad::sleeps, "sleeps");
    computing.start();
    sleeping.start();
    Thread.sleep(200);
    long before = pausedNanos();
    collects(Integer.parseInt(arguments[0]));
    System.out.println("paused=" + (pausedNanos() - before));
    over = true;
    computing.join();
    sleeping.join();
    Burn.sink += live.size();
  }
}
