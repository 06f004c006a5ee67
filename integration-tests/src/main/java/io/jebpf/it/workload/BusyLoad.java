package io.jebpf.it.workload;

/**
 * Burns one core until its time is over. Arguments: seconds. Prints {@code ready=1} when the agent
 * samples.
 */
public final class BusyLoad {
  private BusyLoad() {}

  public static void main(String[] args) throws InterruptedException {
    AgentGate.await();
    System.out.println("ready=1");
    long end = Burn.cpuNanos() + Long.parseLong(args[0]) * 1_000_000_000L;
    while (Burn.cpuNanos() < end) {
      busy();
    }
  }

  static void busy() {
    Burn.sink = Burn.spin(100_000, Burn.sink);
  }
}
