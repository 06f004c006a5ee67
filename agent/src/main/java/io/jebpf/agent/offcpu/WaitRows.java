package io.jebpf.agent.offcpu;

import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Window;
import io.jebpf.bpf.ThreadState;
import io.jebpf.symbolizer.Frame;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts waits into the window: says what each waited for, whether that is idleness, and adds them
 * up. Owner: thread "jebpf-reader".
 */
final class WaitRows {
  /** A wait's stack, the separator, and its waker's. */
  private static final int PATH_MAX = 2 * (2048 + 64 + 1) + 1;

  private static final String ENDED_THREADS = "[ended threads]";
  private static final WaitReason[] REASONS = WaitReason.values();

  private final boolean includeIdle;
  private final WaitRecorder.Naming naming;
  private final RawStacks stacks;
  private final WaitClassifier classifier = new WaitClassifier();
  private final int[] path = new int[PATH_MAX];
  private final List<Frame> names = new ArrayList<>();
  private Window window;
  private int serial;

  private final double[] nanos = new double[Settlement.KINDS];
  private double idleNanos;
  private double notSampledNanos;
  private double waits;

  WaitRows(boolean includeIdle, WaitRecorder.Naming naming, RawStacks stacks, Window first) {
    this.includeIdle = includeIdle;
    this.naming = naming;
    this.stacks = stacks;
    this.window = first;
  }

  void into(Window next) {
    window = next;
  }

  void beginWindow() {
    serial++;
  }

  /**
   * Adds a stretch of a wait.
   *
   * @param asleep how many waits its time asleep stands for
   * @param queued the same of its time on the run queue
   */
  void add(MetWait wait, double asleep, double queued) {
    double asleepNanos = asleep * (wait.turn - wait.from);
    double queuedNanos = queued * (wait.end - wait.turn);
    boolean idle = wait.isIdle;
    account(wait.state, asleepNanos, queuedNanos, wait.isCounted ? asleep : 0, idle);
    if (isLeftOut(idle)) {
      return;
    }
    // what ends a sleep is a timer, on top of whatever ran just then
    boolean told = !wait.waker.isEmpty() && reason(verdict(wait.leaf)) != WaitReason.SLEEP;
    boolean withStack = told && wait.wakerLeaf != OpenWaits.NO_STACK;
    int node = windowNode(withStack ? wait.wakerLeaf : wait.leaf, wait.own);
    Labels row = labels(wait.leaf, wait.state, wait.own, told ? wait.waker : "", idle);
    int labels = window.labels(row);
    if (asleep == queued || wait.end == wait.turn) {
      window.addWait(node, labels, asleep, wait.isCounted, wait.from, wait.turn, wait.end);
    } else {
      window.addWait(node, labels, asleep, wait.isCounted, wait.from, wait.turn, wait.turn);
      window.addWait(node, labels, queued, false, wait.turn, wait.turn, wait.end);
    }
  }

  /** Counts a stretch of waits, which may be shown or not. */
  void account(
      ThreadState state, double asleepNanos, double queuedNanos, double met, boolean idle) {
    nanos[Settlement.kind(state)] += asleepNanos;
    nanos[Settlement.RUNNABLE] += queuedNanos;
    waits += met;
    idleNanos += idle ? asleepNanos + queuedNanos : 0;
  }

  /** Counts time of a thread whose sleep nobody asks for. */
  void accountQuiet(int kind, double time) {
    nanos[kind] += time;
    idleNanos += time;
  }

  /** Shows a stretch of waits that go on, all alike, and counts nothing. */
  void put(
      int leaf, Labels own, Labels row, int size, boolean counted, long from, long turn, long now) {
    window.addWait(windowNode(leaf, own), window.labels(row), size, counted, from, turn, now);
  }

  boolean isLeftOut(boolean idle) {
    return idle && !includeIdle;
  }

  /** Time of a thread, by its clock, that no wait stands for: tid 0, of threads that ended. */
  void addNotSampled(int tid, long threadStart, String comm, int kind, double time, long now) {
    String thread = tid == 0 ? ENDED_THREADS : naming.thread(tid, threadStart, comm);
    Labels own = Labels.of(LabelKey.THREAD, thread);
    boolean queued = kind == Settlement.RUNNABLE;
    boolean idle = queued ? isOurs(own) : WaitClassifier.isIdleThread(thread);
    notSampledNanos += idle ? 0 : time;
    if (isLeftOut(idle)) {
      return;
    }
    String state =
        queued ? LabelKey.RUNNABLE : kind == Settlement.DISK ? LabelKey.DISK : LabelKey.BLOCKED;
    Labels labels = own.with(LabelKey.STATE, state).with(LabelKey.IDLE, idle ? LabelKey.TRUE : "");
    long from = now - Math.round(time);
    window.addWait(
        window.notSampled(), window.labels(labels), 1, false, from, queued ? from : now, now);
  }

  /** Shows the part of a wait that goes on, and adds nothing to the window but its labels. */
  void show(MetWait wait, Labels row, OpenWaitSink sink) {
    int node = windowNode(wait.leaf, wait.own);
    sink.wait(node, window.labels(row), wait.from, wait.turn, wait.end, wait.isCounted);
  }

  /**
   * Labels of a row.
   *
   * @param own those of the thread
   * @param waker who ended the wait, or empty
   */
  Labels labels(int leaf, ThreadState state, Labels own, String waker, boolean idle) {
    return own.with(LabelKey.STATE, label(state))
        .with(LabelKey.WAIT, state == ThreadState.RUNNABLE ? "" : reason(verdict(leaf)).label())
        .with(LabelKey.WAKER, waker)
        .with(LabelKey.IDLE, idle ? LabelKey.TRUE : "");
  }

  /** That a thread has to wait for a CPU is no idleness, unless it is one of ours. */
  boolean isIdle(int leaf, ThreadState state, Labels own) {
    return state == ThreadState.RUNNABLE
        ? isOurs(own)
        : verdict(leaf) > REASONS.length || isIdleThread(own);
  }

  boolean isIdleThread(Labels own) {
    return WaitClassifier.isIdleThread(own.get(LabelKey.THREAD));
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
      known = (short) (verdict.reason().ordinal() + 1 + (verdict.idle() ? REASONS.length : 0));
      stacks.verdict(leaf, known);
      names.clear();
    }
    return known;
  }

  private static WaitReason reason(short verdict) {
    return REASONS[(verdict - 1) % REASONS.length];
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

  // ---- figures, since the start

  /** How many waits, by estimate. */
  double waits() {
    return waits;
  }

  /** Time in waits, by estimate. */
  ClockTotals totals() {
    return new ClockTotals(
        0,
        Math.round(nanos[Settlement.RUNNABLE]),
        Math.round(nanos[Settlement.BLOCKED]),
        Math.round(nanos[Settlement.DISK]));
  }

  double idleNanos() {
    return idleNanos;
  }

  double notSampledNanos() {
    return notSampledNanos;
  }
}
