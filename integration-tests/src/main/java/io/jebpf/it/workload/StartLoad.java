package io.jebpf.it.workload;

import java.lang.management.ManagementFactory;

/** Prints how long the JVM took to reach {@code main}, premain included. */
public final class StartLoad {
  private StartLoad() {}

  public static void main(String[] args) {
    System.out.println("uptime=" + ManagementFactory.getRuntimeMXBean().getUptime());
  }
}
