package io.jebpf.it.workload;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/**
 * Burns CPU while it changes the sampling rate through the agent's MBean, and prints how many
 * samples were taken at each rate, and how much CPU time the whole process used meanwhile (the
 * compiler's and the agent's threads are sampled too). Arguments: milliseconds of CPU per rate,
 * then the rates.
 */
public final class RateLoad {
  /** The MBean's figures are published about once a second. */
  private static final int SETTLE_MILLIS = 1_300;

  private RateLoad() {}

  public static void main(String[] args) throws InterruptedException {
    AgentGate.await();
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    long millis = Long.parseLong(args[0]);
    for (int i = 1; i < args.length; i++) {
      AgentGate.cpuHz(Integer.parseInt(args[i]));
      Thread.sleep(SETTLE_MILLIS);
      long before = AgentGate.number("SamplesTaken");
      long cpuBefore = system.getProcessCpuTime();
      Burn.cpuMillis(millis);
      Thread.sleep(SETTLE_MILLIS);
      System.out.println("rate" + i + "=" + (AgentGate.number("SamplesTaken") - before));
      long cpuMillis = (system.getProcessCpuTime() - cpuBefore) / 1_000_000;
      System.out.println("cpu" + i + "=" + cpuMillis);
      System.out.println("hz" + i + "=" + AgentGate.number("CpuHz"));
    }
  }
}
