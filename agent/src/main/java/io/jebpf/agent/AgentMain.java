package io.jebpf.agent;

import io.jebpf.agent.context.ThreadContexts;
import io.jebpf.agent.engine.KernelEngineStarter;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.options.OptionParser;
import io.jebpf.agent.options.OptionSources;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.options.Options.LogLevel;
import io.jebpf.agent.options.ParsedOptions;
import java.lang.instrument.Instrumentation;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** Called by the entry class inside the agent's own loader. Returns at once and throws nothing. */
public final class AgentMain {
  private static final AtomicBoolean STARTED = new AtomicBoolean();

  private AgentMain() {}

  /**
   * Starts the profiler beside the application. A second call (the agent named twice, or attached
   * again) changes nothing.
   *
   * @param agentArgument text after the jar's name; null and empty mean none
   * @param instrumentation changes classes of tracing libraries; null: there is none
   */
  public static void start(String agentArgument, Instrumentation instrumentation) {
    try {
      String argument = agentArgument == null ? "" : agentArgument; // null comes from the JVM
      if (STARTED.compareAndSet(false, true)) {
        AgentThreads.start(
            "reader", () -> run(argument, Optional.ofNullable(instrumentation)), AgentMain::failed);
      }
    } catch (Throwable cause) { // the agent's edge: nothing may leave premain
      failed(cause);
    }
  }

  /** On thread "jebpf-reader": options are read beside the application's start as well. */
  private static void run(String agentArgument, Optional<Instrumentation> instrumentation) {
    ParsedOptions parsed = OptionParser.parse(OptionSources.ofThisProcess(agentArgument));
    switch (parsed) {
      case ParsedOptions.Refused refused ->
          AgentLog.toStandardError(LogLevel.WARN)
              .error(Trouble.OPTION, refused.problem(), refused.choices());
      case ParsedOptions.Accepted accepted -> run(accepted.options(), instrumentation);
    }
  }

  private static void run(Options options, Optional<Instrumentation> instrumentation) {
    AgentLog log =
        options
            .logFile()
            .map(file -> AgentLog.toFile(file, options.logLevel()))
            .orElseGet(() -> AgentLog.toStandardError(options.logLevel()));
    try (ThreadContexts contexts =
        ThreadContexts.install(instrumentation, options.context(), log)) {
      Profiler profiler =
          new Profiler(options, log, new KernelEngineStarter(contexts), Version.get());
      profiler.install();
      profiler.run();
    }
  }

  private static void failed(Throwable cause) {
    AgentLog.toStandardError(LogLevel.WARN).error(Trouble.READER, cause.toString());
  }
}
