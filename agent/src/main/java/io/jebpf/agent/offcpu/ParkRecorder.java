package io.jebpf.agent.offcpu;

import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Window;
import io.jebpf.bpf.ParkKind;
import io.jebpf.bpf.ParkView;
import io.jebpf.bpf.SampleView;
import io.jebpf.bpf.WalkEnd;
import io.jebpf.symbolizer.Frame;
import io.jebpf.symbolizer.FrameKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Turns parks of virtual threads into weighted waits in windows. A park arrives when it is over; it
 * stands for the time of the ticks that fell into it, and for the parks that were not taken
 * (docs/adr/0004). Owner: thread "jebpf-reader".
 */
public final class ParkRecorder {
  /** As JEBPF_PARKS_TIMED_SHARE: of so many ticks, one lets parks note when they begin. */
  static final int TIMED_SHARE = 8;

  /** Rows of a window that name their virtual thread; the rest share one a stack. */
  private static final int NAMED_MAX = 1000;

  static final String OTHER_THREADS = "[other virtual threads]";

  /** The first frame of ours, as seen from the thread's: it and what it called are not shown. */
  private static final String OWN_CLASS = "java.lang.JebpfParks.";

  /** The frame between a virtual thread's frames and its carrier's. */
  private static final String CARRIER = "jdk.internal.vm.Continuation.enterSpecial";

  private static final int ROLES_KNOWN = 1 << 10; // a power of two
  private static final int MEANINGS_KNOWN = 1 << 10; // a power of two

  /** How the JDK gets a virtual thread from LockSupport.park and Thread.sleep to its yield. */
  private static final List<String> WAY_TO_YIELD =
      List.of("java.lang.VirtualThread.", "java.lang.System$", "jdk.internal.misc.VirtualThreads.");

  private static final String THREAD_YIELD = "java.lang.VirtualThread.tryYield";

  /** Stands for {@link #WAY_TO_YIELD} when a stack is classified: a park is a park. */
  private static final Frame PARKED =
      new Frame(FrameKind.NATIVE, "jdk.internal.misc.Unsafe.park", "", 0, "", true);

  /** The same for threads that the JVM has unmounted. */
  private static final Frame AT_MONITOR =
      new Frame(FrameKind.NATIVE, "ObjectMonitor::enter", "", 0, "", true);

  private static final Frame IN_WAIT =
      new Frame(FrameKind.NATIVE, "ObjectMonitor::wait", "", 0, "", true);

  /** What a stack says: why it waits, or that it only gave its carrier to others. */
  private record Meaning(WaitReason reason, boolean idle, boolean yields) {}

  /** What a raw frame is to the park's stack. */
  private enum Role {
    OTHER,
    OWN,
    CARRIER
  }

  private final boolean includeIdle;
  private final WaitRecorder.Naming naming;
  private final WaitClassifier classifier = new WaitClassifier();
  private final long[] meaningOf = new long[MEANINGS_KNOWN];
  private final Meaning[] meanings = new Meaning[MEANINGS_KNOWN];
  private final long[] roleHeads = new long[ROLES_KNOWN];
  private final long[] roleDetails = new long[ROLES_KNOWN];
  private final Role[] roles = new Role[ROLES_KNOWN];
  private final List<Frame> names = new ArrayList<>();
  private Window window;
  private int named;

  private double parkedNanos;
  private double queuedNanos;
  private double idleNanos;
  private double parks;
  private long taken;
  private long cut;
  private long undivided;

  public ParkRecorder(boolean includeIdle, WaitRecorder.Naming naming, Window first) {
    this.includeIdle = includeIdle;
    this.naming = naming;
    this.window = first;
    Arrays.fill(roles, Role.OTHER);
  }

  /** What comes from now on goes into this window. */
  public void into(Window next) {
    window = next;
  }

  /** A new window begins: as many virtual threads as ever may be named in it. */
  public void beginWindow() {
    named = 0;
  }

  /**
   * One park, which is over.
   *
   * @param thread labels that say which virtual thread, and what it worked for
   */
  public void add(SampleView sample, ParkView park, Labels thread) {
    taken++;
    long parked = Math.max(1, park.parkedNanos());
    double each = (double) Math.max(parked, park.thinNanos()) / parked * park.copies();
    double count = count(sample.timeNanos(), park, each);
    int leaf = afterOwn(sample);
    int root = beforeCarrier(sample, leaf);
    Meaning meaning = meaning(sample, leaf, root, park.kind());
    double queued = each * (meaning.yields() ? parked : Math.min(parked, park.queuedNanos()));
    double asleep = each * parked - queued;
    undivided += meaning.yields() || park.isDivided() ? 0 : 1;
    parkedNanos += asleep;
    queuedNanos += queued;
    parks += count;
    if (meaning.idle()) {
      idleNanos += asleep + queued;
      if (!includeIdle) {
        return;
      }
    }
    Labels labels =
        named(thread)
            .with(LabelKey.STATE, meaning.yields() ? LabelKey.RUNNABLE : LabelKey.BLOCKED)
            .with(LabelKey.WAIT, meaning.yields() ? "" : meaning.reason().label())
            .with(LabelKey.IDLE, meaning.idle() ? LabelKey.TRUE : "");
    long end = sample.timeNanos();
    long turn = end - Math.round(queued / each);
    int node = push(sample, leaf, root);
    int set = window.labels(labels);
    window.addWait(node, set, each, false, end - parked, turn, end);
    if (count > 0) { // how many there were is known of few, and has a weight of its own
      window.addWait(node, set, count, true, end, end, end);
    }
  }

  /** Only parks whose start is known say how many there were: one of {@link #TIMED_SHARE}. */
  private static double count(long end, ParkView park, double each) {
    double met = Cells.probability(park.startNanos(), end, Math.max(1, park.periodNanos()));
    return park.startNanos() == 0 || met == 0 ? 0 : TIMED_SHARE * each / met;
  }

  private Labels named(Labels thread) {
    return ++named > NAMED_MAX ? Labels.of(LabelKey.VTHREAD, OTHER_THREADS) : thread;
  }

  private int push(SampleView sample, int leaf, int root) {
    int node = Window.ROOT;
    for (int i = root - 1; i >= leaf; i--) {
      node = window.push(node, sample.head(i), sample.detail(i), naming);
    }
    return node;
  }

  private Meaning meaning(SampleView sample, int leaf, int root, ParkKind kind) {
    long stack = mix(root - leaf, kind.ordinal(), 0);
    for (int i = leaf; i < root; i++) {
      stack = mix(stack, sample.head(i), sample.detail(i));
    }
    int slot = (int) (stack >>> 48) & (MEANINGS_KNOWN - 1);
    if (meanings[slot] == null || meaningOf[slot] != stack) {
      meaningOf[slot] = stack;
      meanings[slot] = meaningNow(sample, leaf, root, kind);
    }
    return meanings[slot];
  }

  private Meaning meaningNow(SampleView sample, int leaf, int root, ParkKind kind) {
    names.clear();
    names.add(
        switch (kind) {
          case YIELD -> PARKED;
          case MONITOR -> AT_MONITOR;
          case WAIT -> IN_WAIT;
        });
    boolean yields = false;
    boolean onTheWay = kind == ParkKind.YIELD;
    for (int i = leaf; i < root && names.size() < WaitClassifier.FRAMES_MAX; i++) {
      for (Frame frame : naming.frames(sample.head(i), sample.detail(i))) {
        yields |= onTheWay && frame.function().equals(THREAD_YIELD);
        onTheWay &= isOnTheWay(frame);
        if (!onTheWay) {
          names.add(frame);
        }
      }
    }
    WaitClassifier.Verdict verdict = classifier.classify(names);
    names.clear();
    return new Meaning(verdict.reason(), verdict.idle() && !yields, yields);
  }

  private static boolean isOnTheWay(Frame frame) {
    for (String way : WAY_TO_YIELD) {
      if (frame.function().startsWith(way)) {
        return true;
      }
    }
    return isOwn(frame);
  }

  private static long mix(long soFar, long head, long detail) {
    long mixed = (soFar ^ head ^ Long.rotateLeft(detail, 23)) * 0x9E3779B97F4A7C15L;
    return mixed ^ mixed >>> 29;
  }

  /** Index of the first frame that is the application's or the JDK's: those before it are ours. */
  private int afterOwn(SampleView sample) {
    int after = 0;
    boolean seen = false;
    for (int i = 0; i < sample.userFrames(); i++) {
      if (role(sample.head(i), sample.detail(i)) == Role.OWN) {
        after = i + 1;
        seen = true;
      } else if (seen) {
        break;
      }
    }
    return after;
  }

  /** Index behind the last frame of the virtual thread; a stack that ends before it is cut. */
  private int beforeCarrier(SampleView sample, int leaf) {
    for (int i = leaf; i < sample.userFrames(); i++) {
      if (role(sample.head(i), sample.detail(i)) == Role.CARRIER) {
        return i;
      }
    }
    if (sample.end() != WalkEnd.ROOT.index()) {
      cut++; // else the walk itself has left the carrier's frames out
    }
    return sample.userFrames();
  }

  private Role role(long head, long detail) {
    int slot = (int) (mix(0, head, detail) >>> 48) & (ROLES_KNOWN - 1);
    if (roleHeads[slot] != head || roleDetails[slot] != detail) {
      roleHeads[slot] = head;
      roleDetails[slot] = detail;
      roles[slot] = roleOf(naming.frames(head, detail));
    }
    return roles[slot];
  }

  /** Ours is a frame that begins in our class, whatever was inlined into it. */
  private static Role roleOf(List<Frame> frames) {
    for (Frame frame : frames) {
      if (frame.function().equals(CARRIER)) {
        return Role.CARRIER;
      }
    }
    return !frames.isEmpty() && isOwn(frames.get(frames.size() - 1)) ? Role.OWN : Role.OTHER;
  }

  /** Whether a frame is one that we put into the application's stacks. */
  public static boolean isOwn(Frame frame) {
    return frame.function().startsWith(OWN_CLASS);
  }

  /** Estimates of all parks so far. */
  public ParkTotals totals() {
    return new ParkTotals(
        taken,
        Math.round(parks),
        cut,
        undivided,
        Math.round(parkedNanos),
        Math.round(queuedNanos),
        Math.round(idleNanos));
  }
}
