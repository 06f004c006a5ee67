package io.jebpf.agent;

import java.lang.instrument.Instrumentation;

/** The start of the agent inside its own module. */
public final class AgentMain {
  private AgentMain() {}

  /** Starts the profiler; called once, on thread jebpf-start. */
  public static void start(String arguments, Instrumentation instrumentation) {
    System.err.println("jebpf: started, args=" + arguments);
  }
}
