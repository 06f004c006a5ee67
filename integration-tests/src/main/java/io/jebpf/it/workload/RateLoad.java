package io.jebpf.it.workload;

/**
 * Burns CPU while it changes the sampling rate through the agent's MBean, and prints how many
 * samples were taken at each rate. Arguments: milliseconds of CPU per rate, then the rates.
 */
public final class RateLoad {
  /** The MBean's figures are published about once a second. */
  private static final int SETTLE_MILLIS = 1_300;

  private RateLoad() {}

  public static void main(String[] args) throws InterruptedException {
    AgentGate.await();
    long millis = Long.parseLong(args[0]);
    for (int i = 1; i < args.length; i++) {
      AgentGate.cpuHz(Integer.parseInt(args[i]));
      Thread.sleep(SETTLE_MILLIS);
      long before = AgentGate.number("SamplesTaken");
      Burn.cpuMillis(millis);
      Thread.sleep(SETTLE_MILLIS);
      System.out.println("rate" + i + "=" + (AgentGate.number("SamplesTaken") - before));
      System.out.println("hz" + i + "=" + AgentGate.number("CpuHz"));
    }
  }
}
