package io.jebpf.it.workload;

import java.lang.management.ManagementFactory;

/**
 * Does nothing for some seconds, collects garbage, prints the heap in use, and waits. Argument:
 * seconds.
 */
public final class IdleLoad {
  private IdleLoad() {}

  public static void main(String[] args) throws InterruptedException {
    Thread.sleep(Long.parseLong(args[0]) * 1_000);
    for (int i = 0; i < 3; i++) {
      System.gc();
      Thread.sleep(50);
    }
    System.out.println(
        "heap=" + ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
    System.out.println("ready=1");
    System.out.flush();
    Thread.sleep(60_000);
  }
}
