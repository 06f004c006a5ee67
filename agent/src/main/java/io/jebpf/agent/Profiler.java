package io.jebpf.agent;

import io.jebpf.agent.bridge.ApiBridge;
import io.jebpf.agent.dump.Dumps;
import io.jebpf.agent.dump.Triggers;
import io.jebpf.agent.engine.Engine;
import io.jebpf.agent.engine.EngineException;
import io.jebpf.agent.engine.EngineStarter;
import io.jebpf.agent.engine.Lack;
import io.jebpf.agent.history.History;
import io.jebpf.agent.http.HttpEndpoint;
import io.jebpf.agent.http.HttpServer;
import io.jebpf.agent.http.Metrics;
import io.jebpf.agent.jmx.LazyRegistration;
import io.jebpf.agent.jmx.ProfilerBean;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.ondemand.OnDemand;
import io.jebpf.agent.options.HttpOptions;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.pipeline.AgentIdentity;
import io.jebpf.agent.pipeline.ProcStat;
import io.jebpf.agent.pipeline.SampleReader;
import io.jebpf.agent.pipeline.Snapshot;
import io.jebpf.agent.pipeline.WindowWriter;
import io.jebpf.agent.upload.Sender;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The life of the profiler in one JVM: start, run, stop. {@link #run} is the work of thread
 * "jebpf-reader"; the writer is a second thread; a shutdown hook ends both within a deadline.
 *
 * <p>States go one way: starting, then running (or paused) or off, then stopped. Off is final: a
 * kernel that says no at the start will say no again, and the application is not to be bothered.
 */
final class Profiler {
  /** Longest that the end of the JVM waits for the last window. */
  static final long STOP_MILLIS = 2_000;

  /** Part of it that is left to the sender for putting things away. */
  private static final long SEND_MARGIN_NANOS = 200_000_000;

  /** Longest that a detach waits for the same, and for a start-up that is under way. */
  static final long DETACH_MILLIS = 30_000;

  /** Of that, for sending what is left; the rest waits on disk. */
  private static final long DETACH_SEND_NANOS = 5_000_000_000L;

  private static final long START_LOOK_MILLIS = 5;

  /** Longest that it waits for a start-up that is still under way, and only if that has files. */
  static final long CANCEL_MILLIS = 500;

  private volatile Options options;
  private final AgentLog log;
  private final EngineStarter starter;
  private final AgentIdentity identity;
  private final String version;
  private final History history;
  private final Optional<Sender> sender;
  private final WindowWriter writer;
  private final ApiBridge api = new ApiBridge();

  private volatile State state = new State.Starting();
  private volatile boolean stopping;
  private final AtomicBoolean ended = new AtomicBoolean();
  private volatile Optional<Thread> hook = Optional.empty();
  private volatile Optional<SampleReader> reader = Optional.empty();
  private volatile Optional<Dumps> dumps = Optional.empty();
  private volatile Optional<HttpServer> http = Optional.empty();
  private volatile Optional<OnDemand> onDemand = Optional.empty();
  private volatile Optional<Engine.Facts> facts = Optional.empty();
  private volatile Optional<Thread> readerThread = Optional.empty();
  private volatile Optional<Thread> writerThread = Optional.empty();
  private volatile Optional<Thread> senderThread = Optional.empty();

  /** What the profiler is doing, and why when it is off. */
  sealed interface State {
    record Starting() implements State {}

    record Running() implements State {}

    record Off(String why) implements State {}

    record Stopped() implements State {}
  }

  Profiler(Options options, AgentLog log, EngineStarter starter, String version) {
    this.options = options;
    this.log = log;
    this.starter = starter;
    this.version = version;
    this.identity = AgentIdentity.ofThisProcess(version);
    this.history = new History(options.history().nanos(), options.history().bytes());
    this.sender =
        Sender.of(
            options,
            "jebpf " + version,
            log,
            work -> AgentThreads.create("http", work::run, cause -> log.debug(cause.toString())));
    this.writer = new WindowWriter(options, log, history, sender);
  }

  /**
   * Installs the shutdown hook and starts thread "jebpf-reader".
   *
   * @param afterwards the last thing that thread does
   */
  void launch(Runnable afterwards) {
    install();
    AgentThreads.Work work =
        () -> {
          try {
            run();
          } finally {
            afterwards.run();
          }
        };
    Thread thread = AgentThreads.create("reader", work, this::failed);
    readerThread = Optional.of(thread);
    thread.start();
  }

  /** Puts the shutdown hook in place; too late when the JVM is ending already, which is fine. */
  void install() {
    try {
      Thread thread = AgentThreads.create("stop", this::stop, this::failed);
      Runtime.getRuntime().addShutdownHook(thread);
      hook = Optional.of(thread);
    } catch (IllegalStateException e) {
      stopping = true;
    }
  }

  /** Starts the engine, samples until {@link #stop}, and cleans up. */
  void run() {
    readerThread = Optional.of(Thread.currentThread()); // tests call it without launch
    try {
      runEngine();
    } catch (EngineException e) {
      if (!stopping) { // else it was called off, and the stop line says so
        state = new State.Off(e.trouble().title() + ": " + e.getMessage());
        log.error(e.trouble(), e.getMessage(), e.advice());
      }
    } catch (Throwable cause) { // the edge of the reader thread
      failed(cause);
    } finally {
      writer.end();
    }
  }

  private void runEngine() throws EngineException {
    LazyRegistration registration = new LazyRegistration(new ProfilerBean(bean()), log);
    try (Engine engine = starter.start(options, log, () -> stopping)) {
      facts = Optional.of(engine.facts());
      writerThread =
          Optional.of(
              AgentThreads.start(
                  "writer",
                  () -> runWriter(engine),
                  cause -> log.error(Trouble.WRITER, cause.toString())));
      senderThread = sender.map(work -> startSender(work, engine));
      SampleReader sampleReader =
          new SampleReader(engine, options, writer, identity, log, System::nanoTime);
      reader = Optional.of(sampleReader);
      OnDemand asked = OnDemand.of(sampleReader, history, options, engine.facts());
      onDemand = Optional.of(asked);
      Optional<Triggers> triggers = options.out().map(path -> triggers(path, engine, asked));
      sampleReader.start();
      state = new State.Running();
      options.http().ifPresent(this::openHttp);
      log.notice(startLine(engine.facts()));
      api.addRecordings(asked).install(log);
      while (!stopping) {
        long waitNanos = sampleReader.step();
        try {
          registration.tryRegister();
          asked.maintain();
          if (triggers.isPresent()) {
            triggers.get().look(System.nanoTime());
          }
        } catch (OutOfMemoryError e) { // the application's heap is full; the next round tries again
          sampleReader.countMemoryError();
        }
        if (!stopping) {
          engine.await(waitNanos);
        }
        if (Thread.interrupted()) {
          log.debug("an interrupt of jebpf-reader was ignored"); // nobody of ours sends any
        }
      }
      sampleReader.finish();
    } finally {
      api.uninstall();
      http.ifPresent(HttpServer::close);
      registration.unregister();
    }
  }

  private Triggers triggers(Path out, Engine engine, OnDemand asked) {
    Dumps.Threads threads =
        (name, work) ->
            AgentThreads.start(
                name, work::run, cause -> log.warn(Trouble.PROFILE_WRITE, "dump: " + cause));
    Dumps writing = new Dumps(options, out, asked.profiles(), log, threads);
    dumps = Optional.of(writing);
    return new Triggers(
        options.dumps(),
        out,
        writing,
        asked.profiles(),
        threads,
        log,
        ProcStat::processNanos,
        engine::outOfMemoryErrors);
  }

  /** The last window is in the history by now. */
  private void dumpAtExit() {
    if (options.dumps().on().contains("exit") && dumps.isPresent()) {
      dumps.get().write("exit", System.nanoTime());
    }
  }

  private void openHttp(HttpOptions asked) {
    ProfilerBean.Source source = bean();
    http = HttpEndpoint.open(asked, source, new Metrics(source, log), log);
  }

  private String httpAddress() {
    return http.map(server -> HttpOptions.text(server.address())).orElse("");
  }

  private Thread startSender(Sender work, Engine engine) {
    return AgentThreads.start(
        "sender",
        () -> {
          engine.slice(Engine.COURTEOUS_NANOS);
          work.run();
        },
        cause -> log.error(Trouble.SENDER, cause.toString()));
  }

  private void runWriter(Engine engine) throws InterruptedException {
    engine.slice(Engine.COURTEOUS_NANOS); // it has the time of a window
    writer.prepare();
    writer.run();
  }

  /** The shutdown hook: writes the last window, within {@link #STOP_MILLIS}. */
  void stop() throws InterruptedException {
    long deadline = System.nanoTime() + STOP_MILLIS * 1_000_000;
    stopping = true;
    boolean started = state instanceof State.Running;
    reader.ifPresent(SampleReader::wake);
    if (started) {
      join(readerThread, deadline);
      join(writerThread, deadline);
      dumpAtExit();
      sender.ifPresent(work -> work.end(deadline - SEND_MARGIN_NANOS));
      join(senderThread, deadline);
    } else {
      awaitNoFiles(System.nanoTime() + CANCEL_MILLIS * 1_000_000);
    }
    boolean late = isAlive(readerThread) || isAlive(writerThread);
    if (started && late) {
      log.warn(Trouble.STOP_DEADLINE, "not written after " + STOP_MILLIS + " ms");
    }
    end(started, "the JVM ended");
  }

  /**
   * Ends for good while the JVM goes on: threads, kernel side, files, hook and MBean go. Returns
   * false when something is still busy after {@link #DETACH_MILLIS}; it ends later by itself, and a
   * second call says whether it has.
   */
  boolean detach() throws InterruptedException {
    long deadline = System.nanoTime() + DETACH_MILLIS * 1_000_000;
    boolean started = state instanceof State.Running;
    stopping = true;
    reader.ifPresent(SampleReader::wake);
    join(readerThread, deadline);
    join(writerThread, deadline);
    sender.ifPresent(work -> work.end(System.nanoTime() + DETACH_SEND_NANOS));
    join(senderThread, deadline);
    if (isAlive(readerThread) || isAlive(writerThread) || isAlive(senderThread)) {
      return false;
    }
    starter.detached();
    end(started, "it was detached");
    try {
      hook.ifPresent(Runtime.getRuntime()::removeShutdownHook);
    } catch (IllegalStateException e) {
      return true; // the JVM is ending, and runs the hook, which finds nothing to do
    }
    return true;
  }

  /** The stop line, once. */
  private void end(boolean started, String why) {
    if (!ended.compareAndSet(false, true)) {
      return;
    }
    if (!(state instanceof State.Off)) {
      log.notice(started ? stopLine() : "stopped before sampling began: " + why);
      state = new State.Stopped();
    }
    log.close();
  }

  /** Waits until it is known whether the start succeeded, at most so long; the state then. */
  State awaitStart(long millis) throws InterruptedException {
    long deadline = System.nanoTime() + millis * 1_000_000;
    while (state instanceof State.Starting
        && isAlive(readerThread)
        && System.nanoTime() < deadline) {
      Thread.sleep(START_LOOK_MILLIS);
    }
    return state;
  }

  /** Whether it samples, or is about to. */
  boolean isAlive() {
    return !stopping && (state instanceof State.Running || state instanceof State.Starting);
  }

  Options options() {
    return options;
  }

  /**
   * Takes over other rates without a break. False, and nothing is changed, when more than rates are
   * to change, or nothing is sampled yet.
   */
  boolean changeLive(Options next) {
    if (reader.isEmpty() || !options.differsOnlyInRates(next)) {
      return false;
    }
    if (next.offCpu().tickNanos() != options.offCpu().tickNanos()) {
      try {
        reader.get().askTick(next.offCpu().tickNanos());
      } catch (IllegalStateException e) {
        return false; // waits were asked for and are not accounted for here: a new start says why
      }
    }
    reader.get().askRate(next.cpuHz());
    options = next;
    return true;
  }

  /** What can be asked of it; empty before sampling begins. */
  Optional<OnDemand> onDemand() {
    return onDemand;
  }

  /** What the start line or the stop line says. */
  String summary() {
    return state instanceof State.Running
        ? facts.map(this::startLine).orElse("started")
        : stopLine();
  }

  /** A start-up is not worth waiting for, but for the moment in which it has files on disk. */
  private void awaitNoFiles(long deadlineNanos) throws InterruptedException {
    while (starter.hasFilesOnDisk() && isAlive(readerThread) && System.nanoTime() < deadlineNanos) {
      Thread.sleep(1);
    }
  }

  private static void join(Optional<Thread> thread, long deadlineNanos)
      throws InterruptedException {
    if (thread.isPresent() && thread.get() != Thread.currentThread()) {
      long millis = (deadlineNanos - System.nanoTime()) / 1_000_000;
      thread.get().join(Math.max(1, millis)); // 0 would wait for ever
    }
  }

  private static boolean isAlive(Optional<Thread> thread) {
    return thread.isPresent() && thread.get().isAlive();
  }

  private void failed(Throwable cause) {
    state = new State.Off(Trouble.READER.title() + ": " + cause);
    StackTraceElement[] trace = cause.getStackTrace();
    log.error(Trouble.READER, cause + (trace.length == 0 ? "" : " at " + trace[0]));
  }

  private String startLine(Engine.Facts engine) {
    return LifeLines.start(version, identity, options, engine, httpAddress());
  }

  private String stopLine() {
    Snapshot last = reader.map(SampleReader::snapshot).orElse(Snapshot.ZERO);
    return LifeLines.stop(last, writer, sender);
  }

  /** What the MBean shows. */
  private ProfilerBean.Source bean() {
    return new ProfilerBean.Source() {
      @Override
      public String state() {
        return switch (state) {
          case State.Starting s -> "STARTING";
          case State.Running s ->
              reader.map(r -> r.askedRate() == 0 && r.askedTick() == 0).orElse(true)
                  ? "PAUSED"
                  : "RUNNING";
          case State.Off off -> "OFF: " + off.why();
          case State.Stopped s -> "STOPPED";
        };
      }

      @Override
      public String version() {
        return version;
      }

      @Override
      public Options options() {
        return options;
      }

      @Override
      public Snapshot snapshot() {
        boolean own = readerThread.map(Thread.currentThread()::equals).orElse(false);
        return reader.map(r -> own ? r.snapshot() : r.freshSnapshot()).orElse(Snapshot.ZERO);
      }

      @Override
      public int askedHz() {
        return reader.map(SampleReader::askedRate).orElse(0);
      }

      @Override
      public void askHz(int hz) {
        reader.orElseThrow(() -> new IllegalStateException("not sampling: " + state())).askRate(hz);
      }

      @Override
      public long askedTickNanos() {
        return reader.map(SampleReader::askedTick).orElse(0L);
      }

      @Override
      public void askTick(long nanos) {
        reader
            .orElseThrow(() -> new IllegalStateException("not sampling: " + state()))
            .askTick(nanos);
      }

      @Override
      public Map<String, Long> uploads() {
        return sender.map(Sender::figures).orElse(Map.of());
      }

      @Override
      public WindowWriter writer() {
        return writer;
      }

      @Override
      public List<Lack> missing() {
        return facts.map(Engine.Facts::missing).orElse(List.of());
      }

      @Override
      public long dumpsWritten() {
        return dumps.map(Dumps::written).orElse(0L);
      }

      @Override
      public long dumpsSkipped() {
        return dumps.map(Dumps::skipped).orElse(0L);
      }

      @Override
      public String httpAddress() {
        return Profiler.this.httpAddress();
      }

      @Override
      public Optional<OnDemand> onDemand() {
        return onDemand;
      }

      @Override
      public String debugNonSafepoints() {
        return facts.map(Engine.Facts::debugNonSafepoints).orElse("unknown");
      }
    };
  }

  State state() {
    return state;
  }
}
