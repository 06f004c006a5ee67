package io.jebpf.agent.jmx;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;

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
      if (!PlatformServer.exists()) {
        return;
      }
      PlatformServer.register(bean, NAME);
      registered = true;
    } catch (NoClassDefFoundError e) {
      refused = true; // and nobody can look for the MBean either
      log.debug("no MBean: this JVM has no module java.management (" + e.getMessage() + ")");
    } catch (Exception | LinkageError e) { // not JMException: see PlatformServer
      refused = true; // for example a server of the application's own making
      log.warn(Trouble.MBEAN, NAME + ": " + e);
    }
  }

  public void unregister() {
    if (!registered) {
      return;
    }
    registered = false;
    try {
      PlatformServer.unregister(NAME);
    } catch (Exception e) {
      log.debug("MBean not unregistered: " + e); // the JVM is ending, or someone was first
    }
  }
}
