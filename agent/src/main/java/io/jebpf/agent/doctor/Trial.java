package io.jebpf.agent.doctor;

import io.jebpf.agent.context.ThreadContexts;
import io.jebpf.agent.engine.Engine;
import io.jebpf.agent.engine.EngineException;
import io.jebpf.agent.engine.KernelEngineStarter;
import io.jebpf.agent.engine.Lack;
import io.jebpf.agent.engine.Lack.Ability;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.options.Options.LogLevel;
import io.jebpf.agent.window.Window;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The proof: starts the profiler's own engine in this process, loads and attaches its programs, and
 * looks whether a sample of this very thread arrives.
 *
 * @param step where on the failure ladder a JVM started here would stand
 * @param missing what it would have to do without; empty as well when it is off
 * @param why what is missing, or the failure
 * @param advice what to do; may be empty
 */
record Trial(Step step, List<Ability> missing, String why, String advice) {
  Trial {
    missing = List.copyOf(missing);
  }

  /** The failure ladder, best first. */
  enum Step {
    FULL("full: running and waiting, with kernel, native and Java frames by name"),
    NO_KERNEL_NAMES("all but the names of kernel functions"),
    CPU_ONLY("CPU only: where threads run, not where they wait"),
    NATIVE_ONLY("native and kernel frames only: no Java names"),
    OFF("switched off: the application runs unprofiled");

    private final String text;

    Step(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }
  }

  private static final int HZ = 499;
  private static final long TICK_NANOS = 5_000_000;

  /** On a machine with nothing else to do, one sample takes 2 ms. */
  private static final long DEADLINE_NANOS = 20_000_000_000L;

  private static volatile long sink;

  static Trial run(Options options) {
    AgentLog quiet = AgentLog.toStandardError(LogLevel.ERROR); // what is missing is told below
    ThreadContexts contexts = ThreadContexts.install(Optional.empty(), options, quiet);
    try (Engine engine =
        new KernelEngineStarter(Optional.empty(), contexts).start(options, quiet, () -> false)) {
      return sample(engine, options);
    } catch (EngineException e) {
      String advice = e.advice().isEmpty() ? e.trouble().hint() : e.advice();
      return new Trial(Step.OFF, List.of(), e.trouble().title() + ": " + e.getMessage(), advice);
    }
  }

  private static Trial sample(Engine engine, Options options) throws EngineException {
    Window window = new Window(Window.Limits.STANDARD, engine.facts().mainBinary());
    boolean waits = options.offCpu().tickNanos() > 0 && engine.offCpu().isPresent();
    if (waits) {
      engine.offCpu().period(TICK_NANOS);
      engine.offCpu().start(System.nanoTime());
    }
    engine.rate(HZ);
    long deadline = System.nanoTime() + DEADLINE_NANOS;
    boolean ticked = !waits;
    while ((window.taken() == 0 || !ticked) && System.nanoTime() < deadline) {
      burn();
      engine.drain(window);
      engine.counters(); // brings the ticker's figures up to date
      ticked = !waits || engine.offCpu().stats().ticks() > 0;
    }
    engine.rate(0);
    if (waits) {
      engine.offCpu().period(0);
      engine.drain(window);
    }
    if (window.taken() == 0) {
      return new Trial(
          Step.OFF,
          List.of(),
          "everything was loaded and attached, and no sample of this process arrived",
          "Please report this with the output of: java -jar jebpf.jar doctor --json");
    }
    List<Lack> missing =
        engine.facts().missing().stream()
            .filter(lack -> lack.ability() != Ability.VIRTUAL_PARKS) // seen by agents only
            .toList();
    String took = window.taken() + " samples taken, " + engine.facts().engine();
    String lacks = missing.stream().map(Lack::toString).collect(Collectors.joining("; "));
    return new Trial(
        step(missing),
        missing.stream().map(Lack::ability).toList(),
        missing.isEmpty() ? took : "missing: " + lacks,
        "");
  }

  /** The worst of what is missing. */
  private static Step step(List<Lack> missing) {
    Step worst = Step.FULL;
    for (Lack lack : missing) {
      Step step =
          switch (lack.ability()) {
            case KERNEL_SYMBOLS -> Step.NO_KERNEL_NAMES;
            case WAITS -> Step.CPU_ONLY;
            case PROCESS_MEMORY, JAVA_FRAMES -> Step.NATIVE_ONLY;
            // not on the ladder
            case VIRTUAL_PARKS, VIRTUAL_MONITORS, VIRTUAL_QUEUES, TRACE_IDS -> Step.FULL;
          };
      worst = step.compareTo(worst) > 0 ? step : worst;
    }
    return worst;
  }

  private static void burn() {
    long end = System.nanoTime() + 20_000_000;
    long x = sink | 1;
    while (System.nanoTime() < end) {
      for (int i = 0; i < 10_000; i++) {
        x ^= x << 13;
        x ^= x >>> 7;
        x ^= x << 17;
      }
    }
    sink = x;
  }
}
