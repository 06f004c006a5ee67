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

  private static final long PUBLISHED_NANOS_MAX = 20_000_000_000L;

  private static final OperatingSystemMXBean SYSTEM =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  /** Samples and CPU time of the process, of one moment. */
  private record Reading(long samples, long cpuNanos) {}

  private RateLoad() {}

  public static void main(String[] args) throws InterruptedException {
    AgentGate.await();
    long millis = Long.parseLong(args[0]);
    for (int i = 1; i < args.length; i++) {
      int hz = Integer.parseInt(args[i]);
      AgentGate.cpuHz(hz);
      Thread.sleep(SETTLE_MILLIS);
      Reading before = reading(hz);
      Burn.cpuMillis(millis);
      if (hz == 0) {
        Thread.sleep(SETTLE_MILLIS);
      }
      Reading after = reading(hz);
      System.out.println("rate" + i + "=" + (after.samples() - before.samples()));
      System.out.println("cpu" + i + "=" + (after.cpuNanos() - before.cpuNanos()) / 1_000_000);
      System.out.println("hz" + i + "=" + AgentGate.number("CpuHz"));
    }
  }

  /**
   * Burns until the figures are published, so that they and the CPU time are of the same moment:
   * what ran in the second before would count for one of them only.
   */
  private static Reading reading(int hz) {
    long seen = AgentGate.number("SamplesTaken");
    long deadline = System.nanoTime() + PUBLISHED_NANOS_MAX;
    while (hz > 0 && AgentGate.number("SamplesTaken") == seen && System.nanoTime() < deadline) {
      Burn.cpuMillis(2);
    }
    return new Reading(AgentGate.number("SamplesTaken"), SYSTEM.getProcessCpuTime());
  }
}
