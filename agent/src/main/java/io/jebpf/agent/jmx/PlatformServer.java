package io.jebpf.agent.jmx;

import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;

/**
 * The one class that names types of java.management in its code: a JVM may lack that module ({@code
 * --limit-modules}, jlink), and then this class cannot be loaded while the profiler runs on.
 */
final class PlatformServer {
  private PlatformServer() {}

  /** Whether somebody has created an MBean server. */
  static boolean exists() {
    return !MBeanServerFactory.findMBeanServer(null).isEmpty();
  }

  static void register(ProfilerMXBean bean, String name) throws JMException {
    openToJmx();
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    server.registerMBean(new DescribedMBean(bean), new ObjectName(name));
  }

  static void unregister(String name) throws JMException {
    ManagementFactory.getPlatformMBeanServer().unregisterMBean(new ObjectName(name));
  }

  /** An MXBean is called by reflection, so its package has to be open to the caller's module. */
  private static void openToJmx() {
    Module ours = PlatformServer.class.getModule();
    if (ours.isNamed()) {
      ours.addExports(PlatformServer.class.getPackageName(), ManagementFactory.class.getModule());
    }
  }
}
