package io.jebpf.agent.pipeline;

import io.jebpf.agent.engine.Counters;
import io.jebpf.agent.engine.Engine;
import io.jebpf.agent.engine.EngineException;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.pprof.ProfileHeader;
import io.jebpf.agent.window.Window;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * Drives the engine: moves samples into the window, ends windows, keeps to the budget, changes the
 * rate on request. The work of thread "jebpf-reader", one {@link #step} at a time; who calls it,
 * and how it waits in between, is outside, so that tests step by hand.
 */
public final class SampleReader {
  /** The kernel side does not wake us up: a full buffer has to be far away at this pace. */
  private static final long POLL_NANOS = 100_000_000L;

  private static final long POLL_BUSY_NANOS = 5_000_000L;
  private static final long POLL_PAUSED_NANOS = 1_000_000_000L;

  /** Share of the buffer in use from which the pace goes up. */
  private static final double BUSY_BACKLOG = 0.1;

  private static final long TICK_NANOS = 1_000_000_000L;

  private final Engine engine;
  private final Options options;
  private final WindowWriter writer;
  private final WindowReport report;
  private final AgentLog log;
  private final LongSupplier nanoClock;
  private final Budget budget;

  private Window window;
  private Instant startWall = Instant.EPOCH;
  private long startNanos;
  private Readings started = new Readings(Counters.ZERO, 0, 0);
  private long windowRateChanges;
  private boolean extended;

  private long tickNanos;
  private long tickProgramNanos;
  private int rateHz;
  private boolean failed;

  private Counters counters = Counters.ZERO;
  private long taken;
  private long overflowed;
  private long frames;
  private long framesUnresolved;
  private long rateChanges;
  private long windowsExtended;
  private long lostReported;

  /** Read once where one window ends and the next begins, so that nothing falls in between. */
  private record Readings(Counters counters, long processNanos, long agentNanos) {}

  private volatile int askedHz;
  private volatile Snapshot snapshot = Snapshot.ZERO;
  private volatile Optional<Thread> runner = Optional.empty();

  public SampleReader(
      Engine engine,
      Options options,
      WindowWriter writer,
      AgentIdentity identity,
      AgentLog log,
      LongSupplier nanoClock) {
    this.engine = engine;
    this.options = options;
    this.writer = writer;
    this.report = new WindowReport(options, engine.facts(), identity);
    this.log = log;
    this.nanoClock = nanoClock;
    this.budget = new Budget(options.budgetMillionths());
    this.window = new Window(Window.Limits.STANDARD, engine.facts().mainBinary());
    for (int i = 1; i < WindowWriter.WINDOWS; i++) {
      writer.giveFree(new Window(Window.Limits.STANDARD, engine.facts().mainBinary()));
    }
    this.askedHz = options.cpuHz();
  }

  // ---- for any thread

  /** Asks for another rate; it holds within the next step, or fails with a line in the log. */
  public void askRate(int hz) {
    askedHz = hz;
    runner.ifPresent(LockSupport::unpark);
  }

  public int askedRate() {
    return askedHz;
  }

  public Snapshot snapshot() {
    return snapshot;
  }

  // ---- for the reader thread

  /** Begins sampling. */
  public void start() throws EngineException {
    runner = Optional.of(Thread.currentThread());
    long now = nanoClock.getAsLong();
    begin(now, read());
    tickNanos = now;
    applyRate(askedHz);
  }

  /** One round of work; returns how long to wait before the next. */
  public long step() {
    long now = nanoClock.getAsLong();
    engine.drain(window);
    if (rateHz != 0) {
      engine.maintain(now);
    }
    if (askedHz != rateHz && (askedHz == 0 || rateHz == 0 || askedHz < rateHz)) {
      changeRate(askedHz, now);
    }
    if (now - tickNanos >= TICK_NANOS) {
      tick(now);
    }
    if (now - startNanos >= options.windowNanos() || window.isNearlyFull()) {
      endWindow(now);
    }
    if (rateHz == 0) {
      return POLL_PAUSED_NANOS;
    }
    return engine.backlog() > BUSY_BACKLOG ? POLL_BUSY_NANOS : POLL_NANOS;
  }

  /** Ends sampling, and hands over what is left. No other call may follow. */
  public void finish() {
    long now = nanoClock.getAsLong();
    try {
      engine.rate(0);
    } catch (EngineException e) {
      log.error(e.trouble(), e.getMessage(), e.advice());
    }
    engine.drain(window);
    publish();
    if (!window.isEmpty()) {
      writer.hand(new FinishedWindow(window, header(read(), now), startWall));
    }
  }

  private void begin(long now, Readings readings) {
    engine.beginWindow();
    startNanos = now;
    startWall = Instant.now();
    started = readings;
    windowRateChanges = 0;
    extended = false;
  }

  private Readings read() {
    return new Readings(
        engine.counters(), ProcStat.processNanos(), ProcStat.threadNanos() + writer.cpuNanos());
  }

  private void tick(long now) {
    counters = engine.counters();
    long programNanos = counters.programNanos();
    int next = budget.next(askedHz, rateHz, programNanos - tickProgramNanos, now - tickNanos);
    tickNanos = now;
    tickProgramNanos = programNanos;
    if (next != rateHz && !failed) {
      if (next < rateHz && askedHz >= rateHz) {
        log.warn(
            Trouble.BUDGET,
            rateHz
                + " Hz cost more than "
                + options.budgetMillionths() / 1e4
                + "% of a core, now "
                + next
                + " Hz");
      }
      changeRate(next, now);
    }
    if (counters.lost() > lostReported) {
      log.warn(
          Trouble.SAMPLES_LOST,
          counters.lost()
              - lostReported
              + " (ring full "
              + counters.lostRingFull()
              + ", scratch busy "
              + counters.lostScratch()
              + ", malformed "
              + counters.lostMalformed()
              + " since the start)");
      lostReported = counters.lost();
    }
    publish();
  }

  /** A pause ends the window: its length has to be the time in which samples were taken. */
  private void changeRate(int hz, long now) {
    boolean pauses = hz == 0 || rateHz == 0;
    if (pauses) {
      endWindow(now);
    }
    try {
      applyRate(hz);
      rateChanges++;
      windowRateChanges++;
      failed = false;
    } catch (EngineException e) {
      failed = true;
      askedHz = rateHz;
      log.error(e.trouble(), e.getMessage(), e.advice());
    }
    publish();
  }

  private void applyRate(int hz) throws EngineException {
    if (rateHz == 0 && hz != 0) {
      engine.maintain(nanoClock.getAsLong()); // what came while we paused
    }
    engine.rate(hz);
    rateHz = hz;
  }

  private void endWindow(long now) {
    Readings end = read();
    if (window.isEmpty() && end.counters().lost() > started.counters().lost()) {
      return; // goes on, so that the loss is told in the next profile that is written
    }
    if (!window.isEmpty()) {
      Optional<Window> next = writer.takeFree();
      if (next.isEmpty()) {
        windowsExtended += extended ? 0 : 1;
        extended = true; // goes on in the same one: longer, but nothing is lost
        return;
      }
      taken += window.taken();
      overflowed += window.overflowed();
      frames += window.framesSeen();
      framesUnresolved += window.framesUnresolved();
      writer.hand(new FinishedWindow(window, header(end, now), startWall));
      window = next.get();
    }
    begin(now, end);
  }

  private ProfileHeader header(Readings end, long now) {
    WindowReport.Measured measured =
        new WindowReport.Measured(
            end.counters().since(started.counters()),
            end.processNanos() - started.processNanos(),
            end.agentNanos() - started.agentNanos(),
            rateHz,
            askedHz,
            windowRateChanges);
    long startedNanos = startWall.getEpochSecond() * 1_000_000_000L + startWall.getNano();
    return new ProfileHeader(
        startedNanos,
        Math.max(1, now - startNanos),
        1_000_000_000L / Math.max(1, rateHz),
        report.comments(window, measured),
        options.labels());
  }

  private void publish() {
    counters = engine.counters();
    snapshot =
        new Snapshot(
            counters,
            taken + window.taken(),
            overflowed + window.overflowed(),
            frames + window.framesSeen(),
            framesUnresolved + window.framesUnresolved(),
            rateHz,
            rateChanges,
            windowsExtended,
            ProcStat.threadNanos());
  }
}
