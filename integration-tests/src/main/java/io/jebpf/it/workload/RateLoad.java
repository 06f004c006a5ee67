package io.jebpf.it.workload;

/**
 * Burns CPU while it changes the sampling rate through the agent's MBean, and prints how many
 * samples were taken at each rate. Arguments: milliseconds of CPU per rate, then the rates.
 */
public final class RateLoad {
  /**
   * Longer than the reader's interval, so that samples on their way are counted where they were
   * taken.
   */
  private static final int SETTLE_MILLIS = 300;

  private RateLoad() {}

  public static void main(String[] args) throws InterruptedException {
    AgentGate.await();
    long millis = Long.parseLong(args[0]);
    for (int i = 1; i < args.length; i++) {
      AgentGate.cpuHz(Integer.parseInt(args[i]));
      Thread.sleep(SETTLE_MILLIS);
      long before = AgentGate.number("Samples");
      Burn.cpuMillis(millis);
      Thread.sleep(SETTLE_MILLIS);
      System.out.println("rate" + i + "=" + (AgentGate.number("Samples") - before));
      System.out.println("hz" + i + "=" + AgentGate.number("CpuHz"));
    }
  }
}
