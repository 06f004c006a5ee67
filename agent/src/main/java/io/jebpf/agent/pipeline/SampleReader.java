package io.jebpf.agent.pipeline;

import io.jebpf.agent.engine.Counters;
import io.jebpf.agent.engine.Engine;
import io.jebpf.agent.engine.EngineException;
import io.jebpf.agent.history.Mark;
import io.jebpf.agent.history.Segment;
import io.jebpf.agent.history.SegmentWriter;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.offcpu.OffCpuStats;
import io.jebpf.agent.ondemand.Profiles;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.pprof.ProfileHeader;
import io.jebpf.agent.pprof.ProfileKind;
import io.jebpf.agent.pprof.QualityComments;
import io.jebpf.agent.window.Window;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * Drives the engine: moves samples into the window, ends windows, keeps to the budget, changes the
 * rate on request. The work of thread "jebpf-reader", one {@link #step} at a time; who calls it,
 * and how it waits in between, is outside, so that tests step by hand.
 */
public final class SampleReader implements Profiles.Stream {
  private static final long PAUSED_NANOS = 1_000_000_000L;

  /** How long who asks for figures waits for them at most. */
  private static final long FRESH_NANOS = 250_000_000L;

  private static final long FRESH_LOOK_NANOS = 1_000_000L;

  private static final long TICK_NANOS = 1_000_000_000L;

  /** Time for the collector after the heap had no room. */
  private static final long MEMORY_PAUSE_NANOS = 1_000_000_000L;

  private final Engine engine;
  private final Options options;
  private final WindowWriter writer;
  private final WindowReport report;
  private final AgentLog log;
  private final LongSupplier nanoClock;
  private final Budget budget;
  private final TickerControl ticker;
  private final Courtesy courtesy;
  private final ReaderPace pace = new ReaderPace();

  private Window window;
  private Instant startWall = Instant.EPOCH;
  private long startNanos;

  /** Length of this window: the first one of a JVM that sends is shorter. */
  private long windowNanos;

  private Mark started = Mark.ZERO; // read once where one window ends and the next begins
  private long serial = 1;
  private boolean extended;

  private long tickNanos;
  private long tickProgramNanos;
  private long tickSwitchNanos;
  private int rateHz;
  private boolean failed;

  /** The open window's tables may be half grown. */
  private boolean damaged;

  private long memoryErrors;
  private long discarded;

  private Counters counters = Counters.ZERO;
  private long taken;
  private long overflowed;
  private long frames;
  private long framesUnresolved;
  private long rateChanges;
  private long windowsExtended;
  private long waitsOverflowed;
  private long sampledNanos;
  private long lostReported;
  private final OpenRequests requests = new OpenRequests();

  private volatile int askedHz;
  private volatile boolean isSampling = true;

  /** When the last picture was taken: who asks at once after that waits for the usual pace. */
  private volatile long answeredNanos = Long.MIN_VALUE / 2;

  private final ProcessCpu processCpu = new ProcessCpu(ProcStat::processNanos);

  private volatile Snapshot snapshot = Snapshot.ZERO;
  private volatile long publishedNanos;

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
    this.report = new WindowReport(options, engine.facts(), identity, engine::contexts);
    this.log = log;
    this.nanoClock = nanoClock;
    this.budget = new Budget(options.budgetMillionths());
    this.courtesy = new Courtesy(engine);
    this.ticker = new TickerControl(engine.offCpu(), budget, options.offCpu().tickNanos());
    this.window = new Window(Window.Limits.STANDARD, engine.facts().mainBinary());
    for (int i = 1; i < WindowWriter.WINDOWS; i++) {
      writer.giveFree(new Window(Window.Limits.STANDARD, engine.facts().mainBinary()));
    }
    this.askedHz = options.cpuHz();
    this.windowNanos =
        options.uploads().isOn() ? shortened(options.windowNanos()) : options.windowNanos();
  }

  /**
   * Between a fifth of a window and all of it, at random: windows of JVMs that were started
   * together are not to end together, and be sent together.
   */
  private static long shortened(long windowNanos) {
    double random = new java.util.SplittableRandom(seed()).nextDouble();
    return (long) (windowNanos * (0.2 + 0.8 * random));
  }

  private static long seed() {
    return System.nanoTime() ^ ProcessHandle.current().pid() << 40;
  }

  // ---- for any thread

  /** The next step comes at once. */
  public void wake() {
    engine.wake();
  }

  /** Asks for another rate; it holds within the next step, or fails with a line in the log. */
  public void askRate(int hz) {
    askedHz = hz;
    engine.wake();
  }

  public int askedRate() {
    return askedHz;
  }

  /** Asks for another interval of the ticker; 0 takes no stacks of waits. */
  public void askTick(long nanos) {
    ticker.ask(nanos);
    engine.wake();
  }

  public long askedTick() {
    return ticker.asked();
  }

  public Snapshot snapshot() {
    return snapshot;
  }

  /**
   * The same, but not older than a second: where nothing moves the reader comes more seldom, and is
   * woken for this. Not for its own thread. Where it does not answer, what there is.
   */
  public Snapshot freshSnapshot() {
    long asked = nanoClock.getAsLong();
    Snapshot old = snapshot;
    if (isOver() || asked - publishedNanos < TICK_NANOS) {
      return old;
    }
    engine.wake();
    while (snapshot == old && nanoClock.getAsLong() - asked < FRESH_NANOS && !isOver()) {
      LockSupport.parkNanos(FRESH_LOOK_NANOS);
    }
    return snapshot;
  }

  @Override
  public CompletableFuture<Segment> askOpen(long notBeforeNanos) {
    CompletableFuture<Segment> answer = requests.ask(notBeforeNanos);
    long now = nanoClock.getAsLong();
    if (!isSampling || now - answeredNanos >= ReaderPace.USUAL_NANOS) {
      engine.wake(); // else one picture answers many soon enough
    }
    return answer;
  }

  @Override
  public boolean isOver() {
    return requests.isOver();
  }

  @Override
  public QualityComments quality(
      ProfileKind kind, long samples, long cpuNanos, Mark begin, Mark end) {
    double whole = Math.max(1, end.sampledNanos() - begin.sampledNanos());
    double scale =
        CpuScale.of(
            end.processNanos() - begin.processNanos(), (long) whole, end.taken() - begin.taken());
    return report.comments(
        kind,
        new WindowReport.Shown(samples, cpuNanos, scale),
        WindowReport.Measured.between(begin, end));
  }

  // ---- for the reader thread

  /** Begins sampling. */
  public void start() throws EngineException {
    ticker.apply();
    long now = nanoClock.getAsLong();
    engine.offCpu().start(now);
    begin(now, read(now));
    tickNanos = now;
    applyRate(askedHz);
  }

  /**
   * One round of work; returns how long to wait before the next. Where the heap has no room, that
   * of the application, the open window is given up, which is counted, and sampling goes on.
   */
  public long step() {
    try {
      if (damaged) {
        replaceWindow();
      }
      long wait = round();
      courtesy.plan(nanoClock.getAsLong() + wait);
      return wait;
    } catch (OutOfMemoryError e) {
      countMemoryError();
      damaged = true;
      return MEMORY_PAUSE_NANOS;
    }
  }

  /** Allocates nothing. */
  public void countMemoryError() {
    memoryErrors++;
  }

  private void replaceWindow() {
    long lost = window.taken();
    window = new Window(Window.Limits.STANDARD, engine.facts().mainBinary());
    damaged = false;
    taken += lost; // they arrived
    discarded += lost;
    long now = nanoClock.getAsLong();
    begin(now, read(now));
    log.warn(Trouble.READER_MEMORY, lost + " samples are lost");
  }

  private long round() {
    long now = nanoClock.getAsLong();
    pace.begin(now, engine.backlogBytes(), engine.bufferBytes());
    courtesy.begin(now, pace.isBusy());
    engine.drain(window);
    if (isActive()) {
      engine.maintain(now);
    }
    if (askedHz != rateHz && (askedHz == 0 || rateHz == 0 || askedHz < rateHz)) {
      changeRate(askedHz, now);
    }
    if (ticker.apply()) {
      publish();
    }
    if (now - tickNanos >= TICK_NANOS) {
      tick(now);
    }
    boolean full = window.isNearlyFull(); // and more may wait in the ring
    if (now - startNanos >= windowNanos || full) {
      endWindow(now);
    }
    if (!full && requests.isDue(now)) {
      requests.answer(now, open(now));
      answeredNanos = now;
    }
    isSampling = isActive();
    long wait = isActive() ? pace.pause(startNanos + windowNanos - now) : PAUSED_NANOS;
    long sinceAnswer = now - answeredNanos;
    long due =
        sinceAnswer < ReaderPace.USUAL_NANOS
            ? ReaderPace.USUAL_NANOS - sinceAnswer
            : requests.dueInNanos(now);
    return Math.min(wait, due);
  }

  private boolean isActive() {
    return rateHz != 0 || ticker.period() != 0;
  }

  /** Ends sampling, and hands over what is left. No other call may follow. */
  public void finish() {
    long now = nanoClock.getAsLong();
    try {
      engine.rate(0);
    } catch (EngineException e) {
      log.error(e.trouble(), e.getMessage(), e.advice());
    }
    if (damaged) {
      replaceWindow();
    }
    engine.drain(window);
    engine
        .offCpu()
        .endWindow(window, now, startNanos); // while waits are still met, as in any window
    ticker.stop();
    publish();
    if (!window.isEmpty()) {
      writer.hand(finished(read(now), now));
    }
    requests.refuse();
  }

  private void begin(long now, Mark mark) {
    engine.beginWindow();
    startNanos = now;
    startWall = Instant.now();
    started = mark;
    extended = false;
  }

  private Mark read(long now) {
    Counters fresh = engine.counters(); // reads the off-CPU side's too
    OffCpuStats stats = engine.offCpu().stats();
    return new Mark(
        now,
        fresh,
        stats,
        processCpu.nanos(engine.offCpu().isPresent(), stats),
        ProcStat.threadNanos() + writer.cpuNanos(),
        rateHz,
        askedHz,
        ticker.period(),
        ticker.asked(),
        rateChanges,
        taken + window.taken(),
        frames + window.framesSeen(),
        framesUnresolved + window.framesUnresolved(),
        overflowed + window.overflowed(),
        waitsOverflowed + window.waitsOverflowed(),
        sampledNanos + window.weightNanos());
  }

  /** The open window as it is, with the waits that go on; the window stays as it was. */
  private Segment open(long now) {
    SegmentWriter segment = new SegmentWriter(window);
    engine.offCpu().showOpen(window, now, startNanos, segment);
    Mark mark = read(now);
    window.scale(scale(mark));
    return segment.write(serial, started, mark);
  }

  private double scale(Mark end) {
    return CpuScale.of(
        end.processNanos() - started.processNanos(), window.weightNanos(), window.taken());
  }

  private void tick(long now) {
    counters = engine.counters();
    OffCpuStats stats = engine.offCpu().stats();
    long switchNanos = stats.switchNanos();
    long charged =
        charged(
            counters.programNanos() - tickProgramNanos,
            switchNanos - tickSwitchNanos,
            now - tickNanos);
    int next = budget.next(askedHz, rateHz, charged, now - tickNanos);
    keepTicker(charged, now - tickNanos);
    tickNanos = now;
    tickProgramNanos = counters.programNanos();
    tickSwitchNanos = switchNanos;
    if (next != rateHz && !failed) {
      if (next < rateHz && askedHz >= rateHz) {
        log.info(
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
    publish(stats);
  }

  /**
   * What the samples are charged with. The clocks' work at context switches is fixed: the samples
   * get what it leaves of the budget, but at least a quarter.
   */
  private long charged(long programNanos, long switchNanos, long elapsedNanos) {
    long whole = Budget.nanos(elapsedNanos, options.budgetMillionths());
    if (whole == 0 || switchNanos == 0) {
      return programNanos;
    }
    if (switchNanos > whole) {
      log.info(Trouble.SWITCHES, switchNanos / 1000 + " us in " + elapsedNanos / 1_000_000 + " ms");
    }
    long left = Math.max(whole / 4, whole - switchNanos);
    return (long) ((double) (programNanos - switchNanos) * whole / left);
  }

  private void keepTicker(long charged, long elapsedNanos) {
    if (ticker.keepTo(charged, elapsedNanos)) {
      log.info(
          Trouble.OFF_CPU_BUDGET,
          "now " + ticker.period() / 1000 + " us, not " + ticker.asked() / 1000 + " us");
    }
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
    Optional<Window> next = writer.takeFree();
    try {
      endWindow(now, next);
    } catch (OutOfMemoryError e) {
      if (next.isPresent() && next.get() != window) {
        writer.giveFree(next.get()); // else there would be one less from now on
      }
      throw e;
    }
  }

  private void endWindow(long now, Optional<Window> next) {
    if (next.isEmpty() && !window.isEmpty()) {
      windowsExtended += extended ? 0 : 1;
      extended = true; // goes on in the same one: longer, but nothing is lost
      return;
    }
    engine.offCpu().endWindow(window, now, startNanos);
    Mark end = read(now);
    if (window.isEmpty() || next.isEmpty()) {
      next.ifPresent(writer::giveFree);
      if (end.counters().lost() == started.counters().lost() && window.isEmpty()) {
        begin(now, end);
      }
      return; // else goes on, so that the loss is told in the next profile that is written
    }
    FinishedWindow done = finished(end, now);
    taken += window.taken();
    overflowed += window.overflowed();
    frames += window.framesSeen();
    framesUnresolved += window.framesUnresolved();
    waitsOverflowed += window.waitsOverflowed();
    sampledNanos += window.weightNanos();
    writer.hand(done);
    windowNanos = options.windowNanos();
    window = next.get();
    begin(now, end);
  }

  private FinishedWindow finished(Mark end, long now) {
    WindowReport.Measured measured = WindowReport.Measured.between(started, end);
    window.scale(scale(end));
    List<PlannedProfile> profiles = new ArrayList<>();
    for (ProfileKind kind : ProfileKind.values()) {
      if (!kind.isEmpty(window) && (kind == ProfileKind.CPU || engine.offCpu().isPresent())) {
        profiles.add(new PlannedProfile(kind, header(kind, measured, now)));
      }
    }
    return new FinishedWindow(window, profiles, startWall, serial++, started, end);
  }

  private ProfileHeader header(ProfileKind kind, WindowReport.Measured measured, long now) {
    long startedNanos = startWall.getEpochSecond() * 1_000_000_000L + startWall.getNano();
    long period = kind == ProfileKind.CPU ? 1_000_000_000L / Math.max(1, rateHz) : ticker.asked();
    return new ProfileHeader(
        startedNanos,
        Math.max(1, now - startNanos),
        Math.max(1, period),
        report.comments(kind, window, measured),
        options.labels());
  }

  private void publish() {
    counters = engine.counters();
    publish(engine.offCpu().stats());
  }

  /** As {@link #counters} were read last. */
  private void publish(OffCpuStats stats) {
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
            ProcStat.threadNanos(),
            stats,
            ticker.period(),
            ticker.changes(),
            memoryErrors,
            discarded);
    publishedNanos = nanoClock.getAsLong();
  }
}
