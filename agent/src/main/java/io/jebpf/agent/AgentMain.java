package io.jebpf.agent;

import io.jebpf.agent.attach.AttachRequest;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.options.Options.LogLevel;
import java.lang.instrument.Instrumentation;
import java.util.Optional;

/** Called by the entry class inside the agent's own loader, for one request at a time. */
public final class AgentMain {
  /** What runs in this JVM; the same classes serve every start. */
  private static final LifeCycle LIFE = new LifeCycle();

  private AgentMain() {}

  /**
   * Starts the profiler beside the application. Returns at once and throws nothing.
   *
   * @param agentArgument text after the jar's name; null and empty mean none
   * @param instrumentation changes classes of tracing libraries; null: there is none
   */
  public static void start(String agentArgument, Instrumentation instrumentation) {
    try {
      LIFE.start(text(agentArgument), Optional.ofNullable(instrumentation));
    } catch (Throwable cause) { // the agent's edge: nothing may leave premain
      failed(cause);
    }
  }

  /**
   * Does what somebody who attached asks for: starts the profiler, changes its options, or stops it
   * and leaves nothing. Returns when it is done; on thread "jebpf-start". Throws nothing.
   */
  public static void attached(String agentArgument, Instrumentation instrumentation) {
    try {
      LIFE.attached(AttachRequest.parse(text(agentArgument)), Optional.ofNullable(instrumentation));
    } catch (Throwable cause) { // the agent's edge
      failed(cause);
    }
  }

  /** Null comes from the JVM. */
  private static String text(String agentArgument) {
    return agentArgument == null ? "" : agentArgument;
  }

  private static void failed(Throwable cause) {
    AgentLog.toStandardError(LogLevel.WARN).error(Trouble.READER, cause.toString());
  }
}
