package io.jebpf.agent.offcpu;

import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Window;
import io.jebpf.bpf.ThreadState;
import io.jebpf.symbolizer.Frame;
import io.jebpf.symbolizer.RawFrame;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

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

  /** A wait's stack, the separator, and its waker's. */
  private static final int PATH_MAX = 2 * (2048 + 64 + 1) + 1;

  /** Between a wait's stack and that of its waker: JEBPF_GAP_WAKER. */
  private static final long WOKEN_BY = RawFrame.head(RawFrame.MARKER, 0, 66);

  /** Ends that came before their stack, which was then still on its way into the ring. */
  private static final int EARLY_MAX = 64;

  private static final int EARLY_WORDS = 5;

  /** Waits through a whole window that get a row of their own; the rest share one a stack. */
  private static final int ROWS_THROUGH_MAX = 1000;

  static final String OTHER_THREADS = "[other threads]";

  private static final Labels OTHERS = Labels.of(LabelKey.THREAD, OTHER_THREADS);
  private static final int REASONS = WaitReason.values().length;

  private final boolean includeIdle;
  private final long wakerNanos;
  private final Naming naming;
  private final ExactClocks clocks;
  private final WaitClassifier classifier = new WaitClassifier();
  private final RawStacks stacks = new RawStacks(NODES_MAX);
  private final OpenWaits waits = new OpenWaits(OPEN_MAX);
  private final int[] path = new int[PATH_MAX];
  private final List<Frame> names = new ArrayList<>();
  private final long[] early = new long[EARLY_MAX * EARLY_WORDS];
  private final String[] earlyWakers = new String[EARLY_MAX];
  private int earlyNext;
  private Window window;
  private int serial;
  private int building = RawStacks.ROOT;
  private int waking; // the wait whose waker's stack is being built
  private long period;
  private long floorNanos;
  private int rowsThrough;
  private int readings;

  private double blockedNanos;
  private double diskNanos;
  private double runnableNanos;
  private double idleNanos;
  private double waitsEstimated;
  private long waitsMet;
  private long waitsDropped;
  private long endsLost;

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
    this.includeIdle = includeIdle;
    this.wakerNanos = wakerNanos;
    this.naming = naming;
    this.clocks = new ExactClocks(clocks);
    this.window = first;
    this.period = periodNanos;
  }

  /** What comes from now on goes into this window. */
  public void into(Window next) {
    window = next;
  }

  /** Accounting begins now: what was before is in no window. */
  public void start(long nowNanos) {
    floorNanos = nowNanos;
    clocks.pass(nowNanos, (tid, threadStart, waitStart) -> {});
  }

  /** The ticker's period from now on. */
  public void period(long nanos) {
    period = nanos;
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

  /** The end of a wait, which as a rule comes after its stack. */
  public void end(
      int tid,
      long threadStart,
      long start,
      long woken,
      long end,
      int wakerKernelTid,
      String wakerComm) {
    int slot = waits.find(tid, threadStart);
    String waker =
        woken - start >= wakerNanos && wakerKernelTid != 0
            ? waker(wakerKernelTid, wakerComm, end)
            : "";
    if (slot == OpenWaits.NONE || waits.start(slot) != start) {
      keepEarly(tid, threadStart, start, woken, end, waker);
      return; // or its stack was lost, or dropped because the thread ran meanwhile
    }
    finish(slot, woken, end, waker);
  }

  private void keepEarly(
      int tid, long threadStart, long start, long woken, long end, String waker) {
    int at = earlyNext * EARLY_WORDS;
    earlyWakers[earlyNext] = waker;
    earlyNext = (earlyNext + 1) % EARLY_MAX;
    early[at] = tid;
    early[at + 1] = threadStart;
    early[at + 2] = start;
    early[at + 3] = woken;
    early[at + 4] = end;
  }

  private void finishIfEarly(int slot) {
    for (int at = 0; at < early.length; at += EARLY_WORDS) {
      if (early[at + 2] == waits.start(slot)
          && early[at] == waits.tid(slot)
          && early[at + 1] == waits.threadStart(slot)) {
        finish(slot, early[at + 3], early[at + 4], earlyWakers[at / EARLY_WORDS]);
        return;
      }
    }
  }

  /** The kernel could not tell the end: it was waiting when it was met, and that is what counts. */
  private void endLost(int slot) {
    endsLost++;
    long end = Math.max(waits.met(slot), waits.reported(slot));
    finish(slot, end, end, "");
  }

  private void finish(int slot, long woken, long end, String waker) {
    boolean begun = waits.reported(slot) != 0;
    long from = begun ? waits.reported(slot) : Math.max(floorNanos, waits.start(slot));
    double weight = begun ? 1 : 1 / probability(slot, end);
    if (end > from) {
      report(slot, from, woken, end, weight, begun ? 0 : weight, waits.labels(slot), waker);
    }
    releaseWaker(slot);
    stacks.release(waits.leaf(slot));
    waits.remove(slot);
  }

  /** Of being met: the wait had to last for the walk of its stack, too. */
  private double probability(int slot, long end) {
    long start = waits.start(slot);
    long lastMoment = Math.max(start + 1, end - waits.walk(slot));
    return Cells.probability(start, lastMoment, waits.period(slot));
  }

  private String waker(int kernelTid, String comm, long now) {
    Optional<ExactClocks.ThreadKey> key = clocks.byKernelTid(kernelTid, now);
    return key.isEmpty()
        ? comm
        : naming.thread(key.get().tid(), key.get().threadStart(), key.get().comm());
  }

  // ---- windows

  /** Puts what goes on at {@code nowNanos} into the window, which ends, and reads the clocks. */
  public void endWindow(long nowNanos, long windowStartNanos) {
    rowsThrough = 0;
    for (int slot = 0; slot < waits.slots(); slot++) {
      if (waits.isUsed(slot)) {
        reportOpen(slot, nowNanos, windowStartNanos);
      }
    }
    readings++;
    clocks.pass(nowNanos, this::confirm);
    for (int slot = 0; slot < waits.slots(); slot++) {
      if (waits.isUsed(slot) && readings - waits.confirmed(slot) > 1) {
        endLost(slot);
      }
    }
  }

  /**
   * The clock says that the wait goes on. One that two readings in a row do not know has ended, and
   * its end was lost; after one alone the end may still be on its way.
   */
  private void confirm(int tid, long threadStart, long waitStart) {
    int slot = waits.find(tid, threadStart);
    if (slot != OpenWaits.NONE && waits.start(slot) == waitStart) {
      waits.confirmed(slot, readings);
    }
  }

  /** Waits shorter than two periods stay whole for the next window: they may not be certain. */
  private boolean isReported(int slot, long now) {
    long certain = 2 * Math.max(period, waits.period(slot)) + waits.walk(slot);
    return now - waits.start(slot) >= certain;
  }

  private void reportOpen(int slot, long now, long windowStart) {
    long start = waits.start(slot);
    if (!isReported(slot, now)) {
      return;
    }
    boolean begun = waits.reported(slot) != 0;
    long from = begun ? waits.reported(slot) : Math.max(floorNanos, start);
    if (now > from) {
      boolean shared = start <= windowStart && ++rowsThrough > ROWS_THROUGH_MAX;
      Labels own = shared ? OTHERS : waits.labels(slot);
      report(slot, from, now, now, 1, begun ? 0 : 1, own, "");
      waits.reported(slot, now);
    }
  }

  /** A new window begins. */
  public void beginWindow() {
    serial++;
    stacks.forgetKept();
    clocks.beginWindow();
  }

  /** Once a second or so: gives slots of ended threads back where many threads come and go. */
  public void maintain(long nowNanos) {
    if (clocks.isDue()) {
      clocks.pass(nowNanos, (tid, threadStart, waitStart) -> {});
    }
  }

  private void report(
      int slot,
      long from,
      long woken,
      long end,
      double weight,
      double count,
      Labels own,
      String waker) {
    ThreadState state = waits.state(slot);
    boolean preempted = state == ThreadState.RUNNABLE;
    long turn = preempted ? from : Math.min(end, Math.max(from, woken)); // its wait for a CPU
    double asleep = weight * (turn - from);
    double queued = weight * (end - turn);
    int leaf = waits.leaf(slot);
    short verdict = verdict(leaf);
    boolean idle = isIdle(slot, verdict, preempted);
    if (state == ThreadState.DISK) {
      diskNanos += asleep;
    } else {
      blockedNanos += asleep;
    }
    runnableNanos += queued;
    waitsEstimated += count;
    idleNanos += idle ? asleep + queued : 0;
    if (idle && !includeIdle) {
      return;
    }
    // what ends a sleep is a timer, on top of whatever ran just then
    String teller = reason(verdict) == WaitReason.SLEEP ? "" : waker;
    boolean withStack = !teller.isEmpty() && waits.wakerLeaf(slot) != OpenWaits.NO_STACK;
    int node = windowNode(withStack ? waits.wakerLeaf(slot) : leaf, own);
    Labels labels = labels(own, state, verdict, teller, idle);
    window.addWait(node, window.labels(labels), weight, count > 0, from, turn, end);
  }

  private static Labels labels(
      Labels own, ThreadState state, short verdict, String waker, boolean idle) {
    return own.with(LabelKey.STATE, label(state))
        .with(LabelKey.WAIT, state == ThreadState.RUNNABLE ? "" : reason(verdict).label())
        .with(LabelKey.WAKER, waker)
        .with(LabelKey.IDLE, idle ? LabelKey.TRUE : "");
  }

  /**
   * Shows what {@link #endWindow} would put into the window if it ended at {@code nowNanos}, and
   * puts nothing there: only their stacks and labels get numbers in it. Reads the clocks.
   */
  public void showOpen(long nowNanos, long windowStartNanos, OpenWaitSink sink) {
    clocks.pass(nowNanos, (tid, threadStart, waitStart) -> {});
    int through = 0;
    for (int slot = 0; slot < waits.slots(); slot++) {
      if (waits.isUsed(slot) && isReported(slot, nowNanos)) {
        boolean shared = waits.start(slot) <= windowStartNanos && ++through > ROWS_THROUGH_MAX;
        showOpen(slot, nowNanos, shared ? OTHERS : waits.labels(slot), sink);
      }
    }
  }

  private void showOpen(int slot, long now, Labels own, OpenWaitSink sink) {
    ThreadState state = waits.state(slot);
    boolean preempted = state == ThreadState.RUNNABLE;
    int leaf = waits.leaf(slot);
    short verdict = verdict(leaf);
    boolean idle = isIdle(slot, verdict, preempted);
    boolean begun = waits.reported(slot) != 0;
    long from = begun ? waits.reported(slot) : Math.max(floorNanos, waits.start(slot));
    if (now > from && (includeIdle || !idle)) {
      Labels labels = labels(own, state, verdict, "", idle);
      long turn = preempted ? from : now;
      sink.wait(windowNode(leaf, own), window.labels(labels), from, turn, now, !begun);
    }
  }

  /** That a thread has to wait for a CPU is no idleness, unless it is one of ours. */
  private boolean isIdle(int slot, short verdict, boolean preempted) {
    Labels own = waits.labels(slot);
    return preempted
        ? isOurs(own)
        : verdict > REASONS || WaitClassifier.isIdleThread(own.get(LabelKey.THREAD));
  }

  private static boolean isOurs(Labels own) {
    return own.get(LabelKey.THREAD).startsWith(LabelKey.OWN_THREADS);
  }

  private static String label(ThreadState state) {
    return switch (state) {
      case RUNNABLE -> LabelKey.RUNNABLE;
      case DISK -> LabelKey.DISK;
      case BLOCKED, STOPPED, RUNNING, ENDED -> LabelKey.BLOCKED;
    };
  }

  /** 0: not known; 1 and above: reason; above {@link #REASONS}: idle, with the reason. */
  private short verdict(int leaf) {
    if (leaf == RawStacks.FULL) {
      return (short) (WaitReason.OTHER.ordinal() + 1);
    }
    short known = stacks.verdict(leaf);
    if (known == 0) {
      names.clear();
      for (int node = leaf;
          node != RawStacks.ROOT && names.size() < WaitClassifier.FRAMES_MAX;
          node = stacks.parent(node)) {
        names.addAll(naming.frames(stacks.head(node), stacks.detail(node)));
      }
      WaitClassifier.Verdict verdict = classifier.classify(names);
      known = (short) (verdict.reason().ordinal() + 1 + (verdict.idle() ? REASONS : 0));
      stacks.verdict(leaf, known);
      names.clear();
    }
    return known;
  }

  private static WaitReason reason(short verdict) {
    return WaitReason.values()[(verdict - 1) % REASONS];
  }

  /** Which thread's stack it is, a stack itself tells: ours begin in our own code. */
  private int windowNode(int leaf, Labels own) {
    if (leaf == RawStacks.FULL) {
      return Window.OVERFLOW;
    }
    int known = stacks.windowNode(leaf, serial, Integer.MIN_VALUE);
    if (known != Integer.MIN_VALUE) {
      return known;
    }
    int depth = 0;
    for (int node = leaf; node != RawStacks.ROOT && depth < PATH_MAX; node = stacks.parent(node)) {
      path[depth++] = node;
    }
    boolean cut = naming.cutsOwn() && isOurs(own);
    int at = Window.ROOT;
    while (depth > 0) {
      int node = path[--depth];
      at = window.push(at, stacks.head(node), stacks.detail(node), naming);
      int end = cut ? window.inside(at) : at;
      if (end != at) {
        at = end;
        break;
      }
    }
    stacks.putWindowNode(leaf, serial, at);
    return at;
  }

  // ---- figures

  /** Everything since the start; the clocks as of the last window's end. */
  public OffCpuCounters counters() {
    return new OffCpuCounters(
        waitsMet,
        Math.round(waitsEstimated),
        waitsDropped,
        endsLost,
        waits.size(),
        stacks.size(),
        clocks.threads(),
        clocks.switches(),
        Math.round(idleNanos),
        new ClockTotals(
            0, Math.round(runnableNanos), Math.round(blockedNanos), Math.round(diskNanos)),
        clocks.totals());
  }
}
