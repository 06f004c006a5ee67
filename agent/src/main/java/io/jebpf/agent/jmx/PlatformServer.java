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

  /** Gives what sends the notifications: type and message. */
  static Registered register(ProfilerMXBean bean, String name) throws JMException {
    openToJmx();
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    Notifications notifications = new Notifications();
    server.registerMBean(new DescribedMBean(bean, notifications), new ObjectName(name));
    return new Registered() {
      @Override
      public void send(String type, String message) {
        notifications.send(type, message);
      }

      @Override
      public void close() {
        notifications.close();
      }
    };
  }

  /** A registered MBean, in no types of java.management. */
  interface Registered {
    void send(String type, String message);

    void close();
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
