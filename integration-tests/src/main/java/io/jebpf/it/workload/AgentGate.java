package io.jebpf.it.workload;

import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/** Lets a workload wait until the agent samples, and read and write the agent's MBean. */
public final class AgentGate {
  private static final int WAIT_MILLIS_MAX = 240_000; // on a machine that does much beside
  private static final int PAUSE_MILLIS = 4;
  private static final int FILES_MILLIS_MAX = 40_000;
  private static final int FILES_OF_TWO_WINDOWS = 5; // three kinds each, some of them empty
  private static final ObjectName NAME = name();

  private AgentGate() {}

  private static ObjectName name() {
    try {
      return new ObjectName("io.jebpf:type=Profiler");
    } catch (JMException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Waits until samples of this process are taken. Returns at once without the agent, which is told
   * by the JVM's own arguments.
   */
  public static void await() throws InterruptedException {
    boolean agent =
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
            .anyMatch(a -> a.startsWith("-javaagent:"));
    if (!agent) {
      return;
    }
    long deadline = System.nanoTime() + WAIT_MILLIS_MAX * 1_000_000L;
    while (System.nanoTime() < deadline) {
      if (server().isRegistered(NAME) && number("SamplesTaken") > 0) {
        return;
      }
      Burn.cpuMillis(1); // something to be sampled
      Thread.sleep(PAUSE_MILLIS); // the agent that starts needs the CPU more
    }
    throw new IllegalStateException("the agent does not sample after " + WAIT_MILLIS_MAX + " ms");
  }

  /** Waits until two more windows are written, or a while: what was sampled before is in a file. */
  public static void awaitFiles() throws InterruptedException {
    long wanted = number("FilesWritten") + FILES_OF_TWO_WINDOWS;
    long deadline = System.nanoTime() + FILES_MILLIS_MAX * 1_000_000L;
    while (number("FilesWritten") < wanted && System.nanoTime() < deadline) {
      Burn.cpuMillis(1); // something to be sampled, so that there are files
      Thread.sleep(20);
    }
  }

  private static MBeanServer server() {
    return ManagementFactory.getPlatformMBeanServer();
  }

  /** A numeric attribute of the agent's MBean. */
  public static long number(String attribute) {
    try {
      return ((Number) server().getAttribute(NAME, attribute)).longValue();
    } catch (JMException e) {
      throw new IllegalStateException("cannot read " + attribute + " of " + NAME, e);
    }
  }

  public static void cpuHz(int hz) {
    try {
      server().setAttribute(NAME, new javax.management.Attribute("CpuHz", hz));
    } catch (JMException e) {
      throw new IllegalStateException("cannot set CpuHz of " + NAME, e);
    }
  }
}
