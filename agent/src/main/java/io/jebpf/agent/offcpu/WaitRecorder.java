package io.jebpf.agent.offcpu;

import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Window;
import io.jebpf.bpf.ThreadState;
import io.jebpf.symbolizer.Frame;
import io.jebpf.symbolizer.RawFrame;
import java.util.List;

/**
 * Turns what the ticker met into weighted waits in windows. A wait comes as a stack ({@link
 * #beginStack}, {@link #frame} from the root on, {@link #open}) and later as an end ({@link #end});
 * one that goes on at a window's end is in each window with its time there ({@link #endWindow}).
 * How much a wait counts is {@link Cells}' answer, and docs/adr/0002-off-cpu-cells.md says why.
 * Owner: thread "jebpf-reader".
 */
public final class WaitRecorder {
  private static final int OPEN_MAX = 16_384; // as many as there are clocks
  private static final int NODES_MAX = 1 << 16; // about 40 bytes each

  /** Between a wait's stack and that of its waker: JEBPF_GAP_WAKER. */
  private static final long WOKEN_BY = RawFrame.head(RawFrame.MARKER, 0, 66);

  /** Threads of the JVM that become quiet at one reading of the clocks. */
  private static final int HUSHED_MAX = 64;

  /** Waits through a whole window that get a row of their own; the rest share one a stack. */
  private static final int ROWS_THROUGH_MAX = 500;

  static final String OTHER_THREADS = "[other threads]";

  private static final Labels OTHERS = Labels.of(LabelKey.THREAD, OTHER_THREADS);

  /** Its own sleep is never met. */
  private static final String TICKER = "jebpf-ticker";

  /** By how much a wait may count as a shorter one because its stack was walked in it. */
  private static final long WALK_PERCENT_MAX = 75;

  /** No wait is shorter than the two switches around it, whatever a clock that was mended says. */
  private static final long WAIT_NANOS_MIN = 500;

  private final long wakerNanos;
  private final Naming naming;
  private final ExactClocks clocks;
  private final RawStacks stacks = new RawStacks(NODES_MAX);
  private final OpenWaits waits = new OpenWaits(OPEN_MAX);
  private final Settlement settlement = new Settlement(OPEN_MAX);
  private final ThreadSlots hushed = new ThreadSlots(HUSHED_MAX); // until the clocks are read
  private final WaitRows rows;
  private final Crowd crowd = new Crowd(this::putCrowd);
  private final MetWait certain = new MetWait();
  private final EarlyEnds early = new EarlyEnds();
  private int building = RawStacks.ROOT;
  private int waking; // the wait whose waker's stack is being built
  private long period;
  private long floorNanos;
  private int rowsThrough;
  private long crowdUntil;
  private int readings;

  /** Whether waits were looked for ever since the clocks were read last. */
  private boolean attentive = true;

  private boolean ticking = true;
  private long settledNanos;
  private int tickerTid;
  private long tickerStart;
  private long waitsMet;
  private long waitsDropped;
  private long endsLost;

  private final Settlement.Sink settled =
      new Settlement.Sink() {
        @Override
        public void wait(MetWait wait, double asleep, double queued) {
          rows.add(wait, asleep, queued);
          releaseStacks(wait.leaf, wait.wakerLeaf);
        }

        @Override
        public void notSampled(int tid, long threadStart, String comm, int kind, double nanos) {
          if (tid != 0 && naming.thread(tid, threadStart, comm).equals(TICKER)) {
            tickerTid = tid; // it cannot meet itself
            tickerStart = threadStart;
            settlement.forget(tid, threadStart);
          } else {
            rows.addNotSampled(tid, threadStart, comm, kind, nanos, settledNanos);
          }
        }

        @Override
        public void quiet(int kind, double nanos) {
          rows.accountQuiet(kind, nanos);
        }
      };

  private final ExactClocks.Visitor reading =
      new ExactClocks.Visitor() {
        @Override
        public void thread(ThreadClock clock, long[] passed) {
          read(clock, passed);
        }

        @Override
        public boolean isMet(ThreadClock clock) {
          int slot = waits.find(clock.tid, clock.threadStart);
          return slot != OpenWaits.NONE && goesOn(slot, clock);
        }
      };

  /** Names of frames and threads, and the places of frames in a window. */
  public interface Naming extends Window.Resolver {
    /** The frames of one raw frame, leaf first. */
    List<Frame> frames(long head, long detail);

    /** Full name of a thread; {@code comm} when it has no other. */
    String thread(int tid, long threadStart, String comm);

    /** Whether stacks of the agent's own threads end where its inside begins. */
    default boolean cutsOwn() {
      return false;
    }
  }

  /**
   * @param includeIdle whether idle waits go into the windows
   * @param wakerNanos waits of this length and more say who woke the thread
   */
  public WaitRecorder(
      boolean includeIdle,
      long wakerNanos,
      Naming naming,
      ThreadClockSource clocks,
      Window first,
      long periodNanos) {
    this.wakerNanos = wakerNanos;
    this.naming = naming;
    this.clocks = new ExactClocks(clocks);
    this.rows = new WaitRows(includeIdle, naming, stacks, first);
    this.period = periodNanos;
  }

  /** What comes from now on goes into this window. */
  public void into(Window next) {
    rows.into(next);
  }

  /** Accounting begins now: what was before is in no window. */
  public void start(long nowNanos) {
    floorNanos = nowNanos;
    clocks.pass(nowNanos, (clock, passed) -> {});
  }

  /** The ticker's period from now on; 0: nobody looks for waits. */
  public void period(long nanos) {
    ticking = nanos != 0;
    attentive &= ticking;
    period = ticking ? nanos : period;
  }

  // ---- what the ring brings

  /** A stack follows, root first. */
  public void beginStack() {
    building = RawStacks.ROOT;
  }

  public void frame(long head, long detail) {
    building = stacks.child(building, head, detail);
  }

  /**
   * The wait that the stack belongs to; it goes on.
   *
   * @param walkNanos how long it took from {@code metNanos} on to see that it still does
   */
  public void open(
      int tid,
      long threadStart,
      long start,
      long metNanos,
      int walkNanos,
      ThreadState state,
      Labels own) {
    waitsMet++;
    stacks.hold(building); // before another wait with this very stack lets go of it
    stacks.keep(building);
    int known = waits.find(tid, threadStart);
    if (known != OpenWaits.NONE) {
      endLost(known);
    }
    int slot = waits.add(tid, threadStart, start, state, building, own);
    if (slot == OpenWaits.NONE) {
      waitsDropped++;
      stacks.release(building);
      return;
    }
    waits.met(slot, metNanos, walkNanos, period);
    waits.confirmed(slot, readings);
    finishIfEarly(slot);
  }

  /**
   * The stack of the thread that ends a wait follows, leaf first; {@link #endWakerStack} is next.
   * False: the wait is not known here.
   */
  public boolean beginWakerStack(int tid, long threadStart, long start) {
    int slot = waits.find(tid, threadStart);
    if (slot == OpenWaits.NONE || waits.start(slot) != start) {
      return false;
    }
    waking = slot;
    building = stacks.child(waits.leaf(slot), WOKEN_BY, 0);
    return true;
  }

  public void endWakerStack() {
    stacks.hold(building);
    stacks.keep(building);
    releaseWaker(waking);
    waits.wakerLeaf(waking, building);
  }

  private void releaseWaker(int slot) {
    if (waits.wakerLeaf(slot) != OpenWaits.NO_STACK) {
      stacks.release(waits.wakerLeaf(slot));
      waits.wakerLeaf(slot, OpenWaits.NO_STACK);
    }
  }

  /**
   * The end of a wait, which as a rule comes after its stack.
   *
   * @param tickNanos of the time since {@code woken}, that in which the ticker had the CPU itself
   * @param wakerKernelTid 0: not known
   * @param wakerSlot of the waker's clock; -1: it is no thread of this process
   */
  public void end(
      int tid,
      long threadStart,
      long start,
      long woken,
      long end,
      long tickNanos,
      int wakerKernelTid,
      int wakerSlot,
      String wakerComm) {
    int slot = waits.find(tid, threadStart);
    String waker =
        woken - start >= wakerNanos && wakerKernelTid != 0
            ? waker(wakerKernelTid, wakerSlot, wakerComm)
            : "";
    if (slot == OpenWaits.NONE || waits.start(slot) != start) {
      early.keep(tid, threadStart, start, woken, end, tickNanos, waker);
      return; // or its stack was lost, or dropped because the thread ran meanwhile
    }
    finish(slot, woken, end, tickNanos, waker);
  }

  private void finishIfEarly(int slot) {
    int end = early.find(waits.tid(slot), waits.threadStart(slot), waits.start(slot));
    if (end != EarlyEnds.NONE) {
      finish(slot, early.woken(end), early.end(end), early.tickNanos(end), early.waker(end));
    }
  }

  /**
   * The kernel could not tell the end: it was waiting when it was met, and that is what counts,
   * once, since how likely that was is not known either.
   */
  private void endLost(int slot) {
    endsLost++;
    long end = Math.max(waits.start(slot), Math.max(waits.met(slot), waits.reported(slot)));
    boolean certain = waits.reported(slot) != 0 || probability(slot, end) == 1;
    finish(slot, certain, 1, end, end, 0, "");
  }

  /**
   * A wait that was met by chance does not count what it waited for the ticker alone: those which
   * were not met have none of it.
   */
  private void finish(int slot, long woken, long end, long tickNanos, String waker) {
    double chance = waits.reported(slot) != 0 ? 1 : probability(slot, end);
    finish(slot, chance == 1, 1 / chance, woken, end, tickNanos, waker);
  }

  private void finish(
      int slot,
      boolean isCertain,
      double weight,
      long woken,
      long end,
      long tickNanos,
      String waker) {
    boolean begun = waits.reported(slot) != 0;
    long start = waits.start(slot);
    long from = from(slot);
    long turn = turn(slot, from, woken, end);
    if (!isCertain) {
      if (settlement.isFull()) {
        readAndSettle(end);
      }
      MetWait met = settlement.add(waits.tid(slot), waits.threadStart(slot));
      long undisturbed = Math.max(Math.max(from, turn), end - tickNanos);
      fill(met, slot, waits.labels(slot), from, turn, undisturbed, !begun, waker);
      met.weight = weight;
    } else {
      long slept = turn(slot, start, woken, end);
      settlement.certain(
          waits.tid(slot), waits.threadStart(slot), waits.state(slot), start, slept, end);
      if (end > from) {
        fill(certain, slot, waits.labels(slot), from, turn, end, !begun, waker);
        rows.add(certain, 1, 1);
      }
      if (!begun) {
        hush(slot);
      }
      releaseStacks(waits.leaf(slot), waits.wakerLeaf(slot));
    }
    waits.remove(slot);
  }

  /** Where all waits of this one's thread are left out, nobody has to ask for the next ones. */
  private void hush(int slot) {
    int tid = waits.tid(slot);
    long threadStart = waits.threadStart(slot);
    if (rows.isLeftOut(isIdle(slot))
        && rows.isIdleThread(waits.labels(slot))
        && hushed.find(tid, threadStart) == ThreadSlots.NONE) {
      hushed.add(tid, threadStart);
    }
  }

  /** When a thread's wait for a CPU began. */
  private long turn(int slot, long from, long woken, long end) {
    boolean preempted = waits.state(slot) == ThreadState.RUNNABLE;
    return preempted ? from : Math.min(end, Math.max(from, woken));
  }

  /** The same of a wait that goes on. */
  private long openTurn(int slot, long from, long now) {
    return turn(slot, from, waits.turn(slot) == 0 ? now : waits.turn(slot), now);
  }

  private void fill(
      MetWait met,
      int slot,
      Labels own,
      long from,
      long turn,
      long end,
      boolean counted,
      String waker) {
    met.leaf = waits.leaf(slot);
    met.wakerLeaf = waits.wakerLeaf(slot);
    met.state = waits.state(slot);
    met.own = own;
    met.from = from;
    met.turn = turn;
    met.end = end;
    met.isIdle = isIdle(slot);
    met.isCounted = counted;
    met.waker = waker;
  }

  private void releaseStacks(int leaf, int wakerLeaf) {
    if (wakerLeaf != OpenWaits.NO_STACK) {
      stacks.release(wakerLeaf);
    }
    stacks.release(leaf);
  }

  /**
   * Of being met: the wait had to last for the walk of its stack, too. One that hardly did would
   * count for thousands of others, so no walk counts for more than its share of a wait.
   */
  private double probability(int slot, long end) {
    long start = waits.start(slot);
    long walk = Math.min(waits.walk(slot), (end - start) * WALK_PERCENT_MAX / 100);
    return Cells.probability(
        start, Math.max(start + WAIT_NANOS_MIN, end - walk), waits.period(slot));
  }

  private String waker(int kernelTid, int slot, String comm) {
    return clocks.isOf(slot, kernelTid)
        ? naming.thread(clocks.tid(), clocks.threadStart(), comm)
        : comm;
  }

  // ---- windows

  /**
   * Reads the clocks, and puts what they say goes on at {@code nowNanos} into the window, which
   * ends.
   */
  public void endWindow(long nowNanos, long windowStartNanos) {
    readings++;
    clocks.pass(nowNanos, reading);
    rowsThrough = 0;
    crowdUntil = nowNanos;
    crowd.clear();
    for (int slot = 0; slot < waits.slots(); slot++) {
      if (waits.isUsed(slot) && waits.confirmed(slot) == readings) {
        reportOpen(slot, nowNanos, windowStartNanos);
      }
    }
    crowd.flush();
    settle(nowNanos);
    for (int slot = 0; slot < waits.slots(); slot++) {
      if (waits.isUsed(slot) && readings - waits.confirmed(slot) > 1) {
        endLost(slot);
      }
    }
  }

  private void readAndSettle(long nowNanos) {
    clocks.pass(nowNanos, reading);
    settle(nowNanos);
  }

  /** Gives out the waits that were met by chance, as the clocks were just read. */
  private void settle(long nowNanos) {
    settledNanos = nowNanos;
    if (attentive) {
      settlement.settle(period, settled);
    } else {
      settlement.giveAsMet(settled);
      attentive = ticking;
    }
  }

  /**
   * A thread's clock may say that its wait goes on. A wait of which two readings at windows' ends
   * do not say so has ended, and its end was lost; after one alone the end may still be on its way.
   */
  private void read(ThreadClock clock, long[] passed) {
    int slot = waits.find(clock.tid, clock.threadStart);
    boolean goesOn = slot != OpenWaits.NONE && goesOn(slot, clock);
    if (goesOn) {
      waits.confirmed(slot, readings);
      waits.turn(slot, clock.turn);
    }
    int hush = hushed.size() == 0 ? ThreadSlots.NONE : hushed.find(clock.tid, clock.threadStart);
    if (hush != ThreadSlots.NONE) {
      clocks.quiet(clock.slot);
      hushed.remove(hush);
    }
    if (clock.tid != tickerTid || clock.threadStart != tickerStart) {
      settlement.read(clock, passed, slot == OpenWaits.NONE || goesOn);
    }
  }

  private boolean goesOn(int slot, ThreadClock clock) {
    return !clock.running && waits.start(slot) == clock.since;
  }

  /** Waits shorter than two periods stay whole for the next window: they may not be certain. */
  private boolean isReported(int slot, long now) {
    long certain = 2 * Math.max(period, waits.period(slot)) + waits.walk(slot);
    return now - waits.start(slot) >= certain;
  }

  private void reportOpen(int slot, long now, long windowStart) {
    if (!isReported(slot, now)) {
      return;
    }
    long from = from(slot);
    if (now <= from) {
      return;
    }
    boolean isNew = waits.reported(slot) == 0;
    waits.reported(slot, now);
    int leaf = waits.leaf(slot);
    ThreadState state = waits.state(slot);
    boolean idle = isIdle(slot);
    long turn = openTurn(slot, from, now);
    rows.account(state, turn - from, now - turn, isNew ? 1 : 0, idle);
    if (isNew) {
      hush(slot);
    }
    if (rows.isLeftOut(idle)) {
      return;
    }
    if (isCrowded(slot, windowStart)) {
      if (turn < now && state != ThreadState.RUNNABLE) {
        Labels row = rows.labels(leaf, state, OTHERS, "", idle);
        rows.put(leaf, OTHERS, row, 1, isNew, from, turn, now);
      } else {
        crowd.add(leaf, state, idle, from, isNew);
      }
    } else {
      rows.put(leaf, waits.labels(slot), shown(slot), 1, isNew, from, turn, now);
    }
  }

  /** Since when a wait is in no window yet. */
  private long from(int slot) {
    long reported = waits.reported(slot);
    return reported != 0 ? reported : Math.max(floorNanos, waits.start(slot));
  }

  private boolean isIdle(int slot) {
    if (!waits.isJudged(slot)) {
      waits.judge(slot, rows.isIdle(waits.leaf(slot), waits.state(slot), waits.labels(slot)));
    }
    return waits.isIdle(slot);
  }

  /** Labels of the row of a wait that goes on: made once, for all windows that it is in. */
  private Labels shown(int slot) {
    if (waits.shown(slot) == Labels.NONE) {
      Labels own = waits.labels(slot);
      waits.shown(slot, rows.labels(waits.leaf(slot), waits.state(slot), own, "", isIdle(slot)));
    }
    return waits.shown(slot);
  }

  /** Whether so many sleep through the window that this one has no row of its own. */
  private boolean isCrowded(int slot, long windowStart) {
    return waits.start(slot) <= windowStart && ++rowsThrough > ROWS_THROUGH_MAX;
  }

  private void putCrowd(
      int leaf, ThreadState state, boolean idle, long from, boolean isNew, int size) {
    Labels row = rows.labels(leaf, state, OTHERS, "", idle);
    long turn = state == ThreadState.RUNNABLE ? from : crowdUntil;
    rows.put(leaf, OTHERS, row, size, isNew, from, turn, crowdUntil);
  }

  /** A new window begins. */
  public void beginWindow() {
    rows.beginWindow();
    stacks.forgetKept();
  }

  /** Once a second or so: gives slots of ended threads back where many threads come and go. */
  public void maintain(long nowNanos) {
    if (clocks.isDue()) {
      readAndSettle(nowNanos);
    }
  }

  /**
   * Reads the clocks, and shows what of waits that go on {@link #endWindow} would put into the
   * window if it ended at {@code nowNanos}: only their stacks and labels get numbers in it.
   */
  public void showOpen(long nowNanos, long windowStartNanos, OpenWaitSink sink) {
    readAndSettle(nowNanos);
    rowsThrough = 0;
    for (int slot = 0; slot < waits.slots(); slot++) {
      if (waits.isUsed(slot) && isReported(slot, nowNanos)) {
        showOpen(slot, nowNanos, windowStartNanos, sink);
      }
    }
  }

  private void showOpen(int slot, long now, long windowStart, OpenWaitSink sink) {
    long from = from(slot);
    boolean idle = isIdle(slot);
    if (now <= from || rows.isLeftOut(idle)) {
      return;
    }
    boolean crowded = isCrowded(slot, windowStart);
    Labels own = crowded ? OTHERS : waits.labels(slot);
    boolean isNew = waits.reported(slot) == 0;
    fill(certain, slot, own, from, openTurn(slot, from, now), now, isNew, "");
    Labels row = crowded ? rows.labels(certain.leaf, certain.state, OTHERS, "", idle) : shown(slot);
    rows.show(certain, row, sink);
  }

  // ---- figures

  /** Everything since the start; the clocks as of the last window's end. */
  public OffCpuCounters counters() {
    return new OffCpuCounters(
        waitsMet,
        Math.round(rows.waits()),
        waitsDropped,
        endsLost,
        waits.size(),
        stacks.size(),
        clocks.threads(),
        clocks.switches(),
        Math.round(rows.idleNanos()),
        Math.round(rows.notSampledNanos()),
        rows.totals(),
        clocks.totals());
  }
}
