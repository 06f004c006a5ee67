package io.jebpf.agent.jmx;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;

/**
 * Registers the MBean as soon as somebody else has created an MBean server, and never creates one
 * itself: the first use of {@code getPlatformMBeanServer} fixes the server's builder (property
 * {@code javax.management.builder.initial}) and can initialise java.util.logging, both of which
 * application servers want to set up from their own main method. A JMX console, {@code
 * -Dcom.sun.management.jmxremote} and {@code jcmd ManagementAgent.start} create one, so nobody who
 * looks will miss the MBean for more than a moment.
 *
 * <p>Owner: thread "jebpf-reader".
 */
public final class LazyRegistration {
  public static final String NAME = "io.jebpf:type=Profiler";

  private final ProfilerMXBean bean;
  private final AgentLog log;
  private boolean registered;
  private boolean refused;

  public LazyRegistration(ProfilerMXBean bean, AgentLog log) {
    this.bean = bean;
    this.log = log;
  }

  /** Cheap as long as there is no server, and once it is done. */
  public void tryRegister() {
    if (registered || refused) {
      return;
    }
    try {
      if (MBeanServerFactory.findMBeanServer(null).isEmpty()) {
        return;
      }
      openToJmx();
      MBeanServer server = ManagementFactory.getPlatformMBeanServer();
      server.registerMBean(new DescribedMBean(bean), new ObjectName(NAME));
      registered = true;
    } catch (JMException | RuntimeException | LinkageError e) {
      refused = true; // a JVM without java.management; a server of the application's own making
      log.warn(Trouble.MBEAN, NAME + ": " + e);
    }
  }

  /** An MXBean is called by reflection, so its package has to be open to the caller's module. */
  private static void openToJmx() {
    Module ours = LazyRegistration.class.getModule();
    if (ours.isNamed()) {
      ours.addExports(LazyRegistration.class.getPackageName(), ManagementFactory.class.getModule());
    }
  }

  public void unregister() {
    if (!registered) {
      return;
    }
    registered = false;
    try {
      ManagementFactory.getPlatformMBeanServer().unregisterMBean(new ObjectName(NAME));
    } catch (JMException | RuntimeException e) {
      log.debug("MBean not unregistered: " + e); // the JVM is ending, or someone was first
    }
  }
}
