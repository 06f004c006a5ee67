package io.jebpf.agent.jmx;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import java.util.Optional;

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

  private final ProfilerBean bean;
  private final AgentLog log;
  private final Watch watch;
  private Optional<PlatformServer.Registered> registered = Optional.empty();
  private boolean refused;

  public LazyRegistration(ProfilerBean bean, AgentLog log) {
    this.bean = bean;
    this.log = log;
    this.watch = new Watch(bean.source(), log);
  }

  /**
   * Cheap as long as there is no server. Once it is done: tells listeners of the MBean what there
   * is to tell.
   */
  public void tryRegister() {
    if (refused) {
      return;
    }
    if (registered.isPresent()) {
      watch.look(System.nanoTime(), bean.getLossThreshold(), registered.get()::send);
      return;
    }
    try {
      if (!PlatformServer.exists()) {
        return;
      }
      registered = Optional.of(PlatformServer.register(bean, NAME));
    } catch (NoClassDefFoundError e) {
      refused = true; // and nobody can look for the MBean either
      log.debug("no MBean: this JVM has no module java.management (" + e.getMessage() + ")");
    } catch (Exception | LinkageError e) { // not JMException: see PlatformServer
      refused = true; // for example a server of the application's own making
      log.warn(Trouble.MBEAN, NAME + ": " + e);
    }
  }

  public void unregister() {
    if (registered.isEmpty()) {
      return;
    }
    registered.get().close();
    registered = Optional.empty();
    try {
      PlatformServer.unregister(NAME);
    } catch (Exception e) {
      log.debug("MBean not unregistered: " + e); // the JVM is ending, or someone was first
    }
  }
}
