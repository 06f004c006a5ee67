package io.jebpf.agent.offcpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.window.EventLog;
import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.VarintReader;
import io.jebpf.agent.window.VarintWriter;
import io.jebpf.agent.window.Window;
import io.jebpf.bpf.ThreadState;
import io.jebpf.symbolizer.Frame;
import io.jebpf.symbolizer.FrameKind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Waits by hand: what is put in, and what is in the window then. Times in ms, one cell is 10. */
class WaitRecorderTest {
  private static final long MS = 1_000_000;
  private static final long T = 10 * MS;
  private static final long PARK = 7;
  private static final long POOL = 8;
  private static final long OWN = 1000; // and above
  private static final long PLAIN = 9;

  private final FakeClocks clocks = new FakeClocks();
  private Window window = newWindow();
  private WaitRecorder recorder = recorder(false);

  private static Window newWindow() {
    return new Window(Window.Limits.STANDARD, Mapping.ofFile("/usr/bin/java"));
  }

  private WaitRecorder recorder(boolean idle) {
    WaitRecorder made = new WaitRecorder(idle, 10 * MS, new FakeNames(), clocks, window, T);
    made.beginWindow();
    return made;
  }

  private static final int TICKER = 77;

  private static final class FakeNames implements WaitRecorder.Naming {
    @Override
    public List<Frame> frames(long head, long detail) {
      String name =
          detail == PARK
              ? "jdk.internal.misc.Unsafe.park"
              : detail == POOL
                  ? "java.util.concurrent.ThreadPoolExecutor.getTask"
                  : detail >= OWN ? "io.jebpf.agent.M" + detail : "app.Main.m" + detail;
      return List.of(new Frame(FrameKind.COMPILED, name, "", 0, "", true));
    }

    @Override
    public String thread(int tid, long threadStart, String comm) {
      return tid == TICKER ? "jebpf-ticker" : "full name of " + comm;
    }

    @Override
    public boolean cutsOwn() {
      return true;
    }

    @Override
    public void resolve(Window into, long head, long detail) {
      String name = frames(head, detail).getFirst().function();
      into.define(Mapping.JVM, 0, name, "", 0, Window.FrameClass.RESOLVED);
    }
  }

  private static final class FakeClocks implements ThreadClockSource {
    final Map<Integer, long[]> threads =
        new HashMap<>(); // slot: tid, since, ended, blocked[, runnable[, turn[, blocked now]]]
    final List<Integer> released = new ArrayList<>();
    final Set<Integer> quiet = new HashSet<>();

    @Override
    public void begin() {}

    @Override
    public int slots() {
      return threads.size();
    }

    @Override
    public boolean read(int slot, long nowNanos, ThreadClock into) {
      long[] thread = threads.get(slot);
      if (thread == null) {
        return false;
      }
      into.thread(
          (int) thread[0],
          1000 + (int) thread[0],
          thread[0] * 11,
          "comm" + thread[0],
          quiet.contains(slot));
      long turn = thread.length > 5 ? thread[5] : 0;
      into.state(thread[2] == 1 ? ThreadState.ENDED : ThreadState.BLOCKED, thread[1], turn, 1);
      into.nanos(ThreadState.BLOCKED, thread[3] + (thread.length > 6 ? thread[6] : 0), thread[3]);
      long runnable = thread.length > 4 ? thread[4] : 0;
      into.nanos(ThreadState.RUNNABLE, runnable, runnable);
      return true;
    }

    @Override
    public void quiet(int slot) {
      quiet.add(slot);
    }

    @Override
    public void release(int slot) {
      released.add(slot);
    }
  }

  private void open(int tid, long startMs, long metMs, ThreadState state, long... rootFirst) {
    open("thread-" + tid, tid, startMs, metMs, state, rootFirst);
  }

  private void open(
      String name, int tid, long startMs, long metMs, ThreadState state, long... rootFirst) {
    recorder.beginStack();
    for (long frame : rootFirst) {
      recorder.frame(1, frame);
    }
    recorder.open(
        tid, tid * 11, startMs * MS, metMs * MS, 0, state, Labels.of(LabelKey.THREAD, name));
  }

  private void end(int tid, long startMs, long wokenMs, long endMs) {
    end(tid, startMs, wokenMs, endMs, 0);
  }

  private void end(int tid, long startMs, long wokenMs, long endMs, long tickMs) {
    recorder.end(
        tid, tid * 11, startMs * MS, wokenMs * MS, endMs * MS, tickMs * MS, 1002, 0, "comm2");
  }

  private void nextWindow(long nowMs, long startMs) {
    recorder.endWindow(nowMs * MS, startMs * MS);
    window = newWindow();
    recorder.into(window);
    recorder.beginWindow();
  }

  private void assertRow(int row, double count, double blockedMs, double runnableMs) {
    assertEquals(count, window.waitCount(row), 1e-9, "count");
    assertEquals(blockedMs * MS, window.waitBlocked(row), 1, "blocked");
    assertEquals(runnableMs * MS, window.waitRunnable(row), 1, "runnable");
  }

  /** Stacks are kept for the rest of the window, for the next wait in the same place. */
  private void assertNothingIsHeld() {
    recorder.beginWindow();
    assertEquals(1, recorder.counters().nodes());
  }

  @Test
  void ofAWaitWhoseThreadWasWokenTheRestIsRunQueue() {
    open(1, 0, 5, ThreadState.BLOCKED, PLAIN);
    clocks.threads.put(0, new long[] {1, 0, 0, 80 * MS, 20 * MS, 80 * MS});
    recorder.endWindow(100 * MS, 0);
    assertRow(0, 1, 80, 20);
    window = newWindow();
    recorder.into(window);
    recorder.beginWindow();
    end(1, 0, 80, 130);
    recorder.endWindow(200 * MS, 100 * MS);
    assertRow(0, 0, 0, 30);
  }

  @Test
  void aLongWaitIsExact() {
    open(1, 103, 111, ThreadState.BLOCKED, PLAIN, PARK);
    end(1, 103, 148, 150);
    assertEquals(1, window.waitRows());
    assertRow(0, 1, 45, 2);
    Labels labels = window.waitLabelsOf(0);
    assertEquals("thread-1", labels.get(LabelKey.THREAD));
    assertEquals("blocked", labels.get(LabelKey.STATE));
    assertEquals("park", labels.get(LabelKey.WAIT));
    assertEquals(1, recorder.counters().met());
    assertEquals(0, recorder.counters().open());
    assertNothingIsHeld();
  }

  @Test
  void aShortWaitStandsForThoseThatWereNotMet() {
    open(1, 102, 103, ThreadState.BLOCKED, PLAIN, PARK);
    end(1, 102, 103, 104); // a fifth of its cell
    clocks.threads.put(0, new long[] {1, 104 * MS, 1, 5 * MS, 5 * MS});
    recorder.endWindow(200 * MS, 100 * MS);
    assertRow(0, 5, 5, 5);
    assertEquals("", window.waitLabelsOf(0).get(LabelKey.WAKER), "too short to name its waker");
  }

  /**
   * Two sites, the first met in a tick that delayed it: by the clock they waited 2 ms for a CPU.
   */
  @Test
  void whatTheTickerDelaysItselfCountsForNoSite() {
    open(1, 102, 103, ThreadState.BLOCKED, PLAIN, PARK);
    end(1, 102, 104, 107, 2);
    open(1, 112, 113, ThreadState.BLOCKED, PLAIN + 1, PARK);
    end(1, 112, 114, 117, 0);
    clocks.threads.put(0, new long[] {1, 117 * MS, 1, 4 * MS, 2 * MS});
    recorder.endWindow(200 * MS, 100 * MS);
    assertRow(0, 1, 2, 0.5);
    assertRow(1, 1, 2, 1.5);
    open(1, 203, 215, ThreadState.BLOCKED, PLAIN, PARK);
    end(1, 203, 240, 245, 2);
    assertRow(2, 1, 37, 5); // a long wait is as long as it was
  }

  @Test
  void preemptedThreadsWaitForACpuOnly() {
    open(1, 100, 105, ThreadState.RUNNABLE, PLAIN);
    end(1, 100, 100, 130);
    assertRow(0, 1, 0, 30);
    assertEquals("runnable", window.waitLabelsOf(0).get(LabelKey.STATE));
    assertEquals("", window.waitLabelsOf(0).get(LabelKey.WAIT));
  }

  @Test
  void whatGoesOnIsInEachWindowWithItsPart() {
    clocks.threads.put(0, new long[] {1, 95 * MS, 0, 5 * MS});
    open(1, 95, 101, ThreadState.BLOCKED, PLAIN, PARK);
    recorder.endWindow(200 * MS, 100 * MS);
    assertRow(0, 1, 105, 0);
    window = newWindow();
    recorder.into(window);
    recorder.beginWindow();
    recorder.endWindow(300 * MS, 200 * MS);
    assertRow(0, 0, 100, 0);
    window = newWindow();
    recorder.into(window);
    recorder.beginWindow();
    end(1, 95, 310, 315);
    assertRow(0, 0, 10, 5);
    assertEquals(1, recorder.counters().waits(), "one wait, however many windows");
    assertEquals(215 * MS, recorder.counters().estimated().blocked());
  }

  @Test
  void aYoungWaitStaysWholeForTheNextWindow() {
    clocks.threads.put(0, new long[] {1, 195 * MS, 0, 0});
    open(1, 195, 197, ThreadState.BLOCKED, PLAIN, PARK);
    nextWindow(200, 100);
    end(1, 195, 203, 203);
    clocks.threads.put(0, new long[] {1, 203 * MS, 0, 13 * MS, 0});
    recorder.endWindow(300 * MS, 200 * MS);
    assertRow(0, 13 / 8.0, 13, 0);
  }

  @Test
  void idleWaitsAreAccountedForAndLeftOut() {
    open(1, 100, 105, ThreadState.BLOCKED, POOL, PARK);
    end(1, 100, 150, 150);
    assertEquals(0, window.waitRows());
    assertEquals(50 * MS, recorder.counters().idleNanos());
    assertEquals(50 * MS, recorder.counters().estimated().blocked());
    recorder = recorder(true);
    open(1, 100, 105, ThreadState.BLOCKED, POOL, PARK);
    end(1, 100, 150, 150);
    assertEquals(LabelKey.TRUE, window.waitLabelsOf(0).get(LabelKey.IDLE));
  }

  @Test
  void longWaitsNameTheirWaker() {
    clocks.threads.put(0, new long[] {2, 0, 0, 0});
    open(1, 100, 105, ThreadState.BLOCKED, PLAIN, PARK);
    end(1, 100, 150, 150);
    assertEquals("full name of comm2", window.waitLabelsOf(0).get(LabelKey.WAKER));
    open(1, 200, 205, ThreadState.BLOCKED, PLAIN, PARK);
    recorder.end(1, 11, 200 * MS, 250 * MS, 250 * MS, 0, 5555, -1, "other-process");
    assertEquals("other-process", window.waitLabelsOf(1).get(LabelKey.WAKER));
    clocks.threads.put(0, new long[] {3, 0, 0, 0});
    open(1, 300, 305, ThreadState.BLOCKED, PLAIN, PARK);
    end(1, 300, 350, 350);
    String ended = window.waitLabelsOf(2).get(LabelKey.WAKER);
    assertEquals("comm2", ended, "its slot is another thread's by now");
  }

  @Test
  void theWakersStackIsAboveTheWaits() {
    open(1, 100, 105, ThreadState.BLOCKED, PLAIN, PARK);
    assertTrue(recorder.beginWakerStack(1, 11, 100 * MS));
    recorder.frame(1, 21); // leaf first
    recorder.frame(1, 22);
    recorder.endWakerStack();
    end(1, 100, 150, 150);
    int node = window.waitLeaf(0);
    List<String> names = new ArrayList<>();
    for (; node != Window.ROOT; node = window.parent(node)) {
      names.add(window.functionName(window.functionOf(window.location(node))));
    }
    String park = "jdk.internal.misc.Unsafe.park";
    assertEquals(
        List.of("app.Main.m22", "app.Main.m21", "app.Main.m0", park, "app.Main.m9"), names);
    assertEquals("park", window.waitLabelsOf(0).get(LabelKey.WAIT), "by its own stack");
    assertNothingIsHeld();
    assertFalse(recorder.beginWakerStack(1, 11, 100 * MS), "no such wait any more");
  }

  @Test
  void waitsOfOurOwnThreadsEndInTheInsideOfTheAgent() {
    recorder = recorder(true);
    long[] stack = new long[20];
    for (int i = 0; i < stack.length; i++) {
      stack[i] = OWN + i;
    }
    for (String thread : List.of("jebpf-reader", "main")) {
      recorder.beginStack();
      for (long frame : stack) {
        recorder.frame(1, frame + (thread.equals("main") ? 100 : 0));
      }
      recorder.open(
          1, 11, 100 * MS, 105 * MS, 0, ThreadState.DISK, Labels.of(LabelKey.THREAD, thread));
      end(1, 100, 150, 150);
    }
    int own = window.waitLeaf(0);
    assertEquals("[inside jebpf]", window.functionName(window.functionOf(window.location(own))));
    assertEquals(1 + 8, depth(own));
    assertEquals(20, depth(window.waitLeaf(1)), "an application's own may be named as it likes");
    assertNothingIsHeld();
  }

  private int depth(int leaf) {
    int depth = 0;
    for (int node = leaf; node != Window.ROOT; node = window.parent(node)) {
      depth++;
    }
    return depth;
  }

  @Test
  void aWaitHadToLastForItsWalk() {
    recorder.beginStack();
    recorder.frame(1, PLAIN);
    recorder.open(1, 11, 102 * MS, 103 * MS, (int) MS, ThreadState.BLOCKED, Labels.NONE);
    end(1, 102, 104, 104); // had the tick come in its second half, it would have gone unseen
    recorder.period(0); // so that it is shown as it is
    recorder.endWindow(200 * MS, 100 * MS);
    assertRow(0, 10, 20, 0);
  }

  @Test
  void aWaitThatItsWalkJustMissedCountsForNoThousands() {
    recorder.beginStack();
    recorder.frame(1, PLAIN);
    recorder.open(1, 11, 102 * MS, 103 * MS, (int) (2 * MS), ThreadState.BLOCKED, Labels.NONE);
    end(1, 102, 104, 104);
    recorder.period(0); // so that it is shown as it is
    recorder.endWindow(200 * MS, 100 * MS);
    assertRow(0, 20, 40, 0); // as if it had been a quarter as long
  }

  @Test
  void anEndMayComeBeforeItsStack() {
    end(1, 100, 140, 150);
    open(1, 100, 139, ThreadState.BLOCKED, PLAIN, PARK);
    assertRow(0, 1, 40, 10);
    assertEquals(0, recorder.counters().open());
    assertEquals(0, recorder.counters().endsLost());
  }

  @Test
  void aLostEndIsNoticedByTheNextWait() {
    open(1, 100, 139, ThreadState.BLOCKED, PLAIN, PARK);
    open(1, 300, 305, ThreadState.BLOCKED, PLAIN, PARK);
    assertRow(0, 1, 39, 0);
    assertEquals(1, recorder.counters().endsLost());
    assertEquals(1, recorder.counters().open());
    assertEquals(3, recorder.counters().nodes(), "the stack that both have is still held");
    end(1, 300, 340, 340);
    assertNothingIsHeld();
  }

  @Test
  void aWaitWithoutLengthCountsForNoMillions() {
    open(1, 103, 103, ThreadState.BLOCKED, PLAIN, PARK);
    end(1, 103, 103, 103);
    recorder.period(0); // so that it is shown as it is
    recorder.endWindow(200 * MS, 100 * MS);
    assertEquals(20_000, recorder.counters().waits(), 1e-6); // two switches take half a us
  }

  /** A tick that had begun before the wait: how likely it was to meet it nobody knows. */
  @Test
  void aShortWaitWhoseEndWasLostCountsOnce() {
    open(1, 103, 103, ThreadState.BLOCKED, PLAIN, PARK);
    open(1, 300, 305, ThreadState.BLOCKED, PLAIN, PARK);
    clock(1, 300, false, 4, 0);
    recorder.endWindow(310 * MS, 100 * MS);
    for (int row = 0; row < window.waitRows(); row++) {
      assertTrue(window.waitCount(row) <= 1, "counts " + window.waitCount(row));
    }
    assertEquals(1, recorder.counters().endsLost());
  }

  @Test
  void aLostEndIsNoticedByTheClocks() {
    clocks.threads.put(0, new long[] {1, 100 * MS, 0, 0});
    open(1, 100, 109, ThreadState.BLOCKED, PLAIN, PARK);
    nextWindow(200, 100);
    assertEquals(1, recorder.counters().open());
    clocks.threads.put(0, new long[] {1, 250 * MS, 0, 0}); // another wait by now
    nextWindow(300, 200);
    assertEquals(1, recorder.counters().open(), "its end may be on its way");
    nextWindow(400, 300);
    assertEquals(0, recorder.counters().open());
    assertEquals(1, recorder.counters().endsLost());
  }

  @Test
  void exactClocksAddUpAndEndedThreadsGiveTheirSlotsBack() {
    clocks.threads.put(0, new long[] {1, 0, 0, 30});
    clocks.threads.put(1, new long[] {2, 0, 1, 12});
    nextWindow(100, 0);
    assertEquals(42, recorder.counters().exact().blocked());
    assertEquals(List.of(1), clocks.released);
    assertEquals(1, recorder.counters().threads());
    clocks.threads.put(0, new long[] {1, 0, 0, 35});
    clocks.threads.put(1, new long[] {3, 0, 0, 4}); // the slot's next thread
    nextWindow(200, 100);
    assertEquals(51, recorder.counters().exact().blocked());
  }

  @Test
  void manySleepersShareStacksAndRows() {
    for (int tid = 1; tid <= 10_000; tid++) {
      clocks.threads.put(tid - 1, new long[] {tid, 50 * MS, 0, 0});
      open(tid, 50, 60, ThreadState.BLOCKED, PLAIN, PARK);
    }
    assertEquals(10_000, recorder.counters().open());
    assertEquals(3, recorder.counters().nodes());
    recorder.endWindow(200 * MS, 100 * MS);
    assertEquals(501, window.waitRows(), "500 of their own, one for the rest");
    double sum = 0;
    for (int row = 0; row < window.waitRows(); row++) {
      sum += window.waitBlocked(row);
    }
    assertEquals(10_000.0 * 150 * MS, sum, 1);
  }

  /** Nothing of its sleep is shown, so the kernel is asked for no more of it; its time is known. */
  @Test
  void aThreadThatIsIdleWhateverItWaitsForIsMetOnce() {
    String name = "Monitor Deflation Thread";
    open(name, 1, 95, 101, ThreadState.BLOCKED, PLAIN);
    open(2, 95, 101, ThreadState.BLOCKED, PLAIN);
    clocks.threads.put(0, new long[] {1, 95 * MS, 0, 0, 0, 0, 105 * MS});
    clocks.threads.put(1, new long[] {2, 95 * MS, 0, 0, 0, 0, 105 * MS});
    nextWindow(200, 100);
    assertEquals(Set.of(), clocks.quiet, "when the clocks are read next");
    clocks.threads.remove(1);
    end(2, 95, 200, 200);
    assertEquals(105 * MS, recorder.counters().idleNanos());

    end(1, 95, 250, 250);
    clocks.threads.put(0, new long[] {1, 260 * MS, 0, 155 * MS, 0, 0, 40 * MS});
    nextWindow(300, 200);
    assertEquals(Set.of(0), clocks.quiet);
    assertEquals(155 * MS, recorder.counters().idleNanos(), 1, "what goes on follows");

    clocks.threads.put(0, new long[] {1, 260 * MS, 0, 155 * MS, 0, 0, 140 * MS});
    nextWindow(400, 300);
    assertEquals((155 + 140) * MS, recorder.counters().idleNanos(), 1);

    open(name, 1, 420, 430, ThreadState.RUNNABLE, PLAIN); // it lost its CPU: that is no sleep
    end(1, 420, 420, 450);
    clocks.threads.put(0, new long[] {1, 480 * MS, 0, 310 * MS, 37 * MS, 0, 20 * MS});
    recorder.endWindow(500 * MS, 400 * MS);
    assertEquals(1, window.waitRows());
    assertRow(0, 1, 0, 30);
    assertEquals((310 + 20 + 7) * MS, recorder.counters().idleNanos(), 1);
    assertEquals(37 * MS, recorder.counters().estimated().runnable(), 1);
    assertEquals((105 + 310 + 20) * MS, recorder.counters().estimated().blocked(), 1);
    assertEquals(0, recorder.counters().notSampledNanos());
  }

  /** No window ends in a wait of its own that is long by then. */
  @Test
  void soIsOneWhoseWaitsEndBeforeTheWindowDoes() {
    open("Monitor Deflation Thread", 1, 95, 101, ThreadState.BLOCKED, PLAIN);
    end(1, 95, 198, 198);
    open("parked", 2, 95, 101, ThreadState.BLOCKED, PLAIN);
    end(2, 95, 198, 198);
    clock(1, 199, false, 103, 0);
    clock(2, 199, false, 103, 0);
    recorder.endWindow(200 * MS, 100 * MS);
    assertEquals(Set.of(0), clocks.quiet);
  }

  @Test
  void whoWantsIdleWaitsGetsThemAll() {
    recorder = recorder(true);
    open("Monitor Deflation Thread", 1, 95, 101, ThreadState.BLOCKED, PLAIN);
    clocks.threads.put(0, new long[] {1, 95 * MS, 0, 0, 0, 0, 105 * MS});
    recorder.endWindow(200 * MS, 100 * MS);
    recorder.endWindow(300 * MS, 200 * MS);
    assertEquals(Set.of(), clocks.quiet);
    assertEquals(1, window.waitRows());
  }

  // ---- the books: waits that were met by chance, and the exact clocks

  private void clock(int tid, long sinceMs, boolean ended, long blockedMs, long runnableMs) {
    clocks.threads.put(
        tid - 1, new long[] {tid, sinceMs * MS, ended ? 1 : 0, blockedMs * MS, runnableMs * MS});
  }

  private double asleep(String thread) {
    double sum = 0;
    for (int row = 0; row < window.waitRows(); row++) {
      boolean its = window.waitLabelsOf(row).get(LabelKey.THREAD).equals(thread);
      sum += its ? window.waitBlocked(row) / MS : 0;
    }
    return sum;
  }

  @Test
  void shortWaitsShareWhatTheClocksLeaveOfTheirThreadsTime() {
    open(1, 100, 101, ThreadState.BLOCKED, PLAIN, PARK); // counts for 10 ms of each kind
    end(1, 100, 101, 102);
    open(1, 113, 114, ThreadState.BLOCKED, PLAIN); // counts for 10 ms asleep
    end(1, 113, 115, 115);
    open(1, 120, 125, ThreadState.BLOCKED, PLAIN, PARK, PARK); // certain
    end(1, 120, 150, 152);
    clock(1, 160, false, 30 + 30, 2 + 4);
    recorder.endWindow(200 * MS, 100 * MS);
    assertRow(0, 1, 30, 2);
    assertRow(1, 5 * 2, 10, 4);
    assertRow(2, 5 * 2, 20, 0);
    assertEquals(60 * MS, recorder.counters().estimated().blocked(), 1);
    assertEquals(6 * MS, recorder.counters().estimated().runnable(), 1);
  }

  @Test
  void whatNoWaitStandsForIsOwedToTheThread() {
    clock(1, 150, false, 3, 0);
    nextWindow(200, 100);
    open(1, 213, 214, ThreadState.BLOCKED, PLAIN, PARK);
    end(1, 213, 215, 215);
    clock(1, 250, false, 6, 0);
    recorder.endWindow(300 * MS, 200 * MS);
    assertEquals(6, asleep("thread-1"), 1e-9);
  }

  @Test
  void threadsThatEndAreOne() {
    for (int tid = 1; tid <= 8; tid++) {
      clock(tid, 105, true, 2, 0); // each 2 ms, and one was met
    }
    open(3, 102, 103, ThreadState.BLOCKED, PLAIN, PARK);
    end(3, 102, 104, 104);
    nextWindow(200, 100);
    assertEquals(16 * MS, recorder.counters().estimated().blocked(), 1);
  }

  @Test
  void timeThatChanceDoesNotExplainIsShown() {
    open(1, 113, 114, ThreadState.BLOCKED, PLAIN, PARK);
    end(1, 113, 115, 115);
    clock(1, 900, false, 5_000, 700); // long waits, whose stacks were lost
    recorder.endWindow(6_000 * MS, 100 * MS);
    double marked = 0;
    for (int row = 0; row < window.waitRows(); row++) {
      int leaf = window.waitLeaf(row);
      String name = window.functionName(window.functionOf(window.location(leaf)));
      if (name.equals("[not sampled]")) {
        assertEquals("full name of comm1", window.waitLabelsOf(row).get(LabelKey.THREAD));
        marked += (window.waitBlocked(row) + window.waitRunnable(row)) / MS;
      }
    }
    double most = 2 * 10 + 6 * 10 + 12 * 10; // of 10 ms that were met
    assertEquals(5_000 - most + 700 - 12 * 10, marked, 1e-3);
    assertEquals(marked * MS, recorder.counters().notSampledNanos(), 1);
    assertEquals(most * MS, recorder.counters().estimated().blocked(), 1);
  }

  /** The kernel's name of its clock may be that from before it had its own. */
  @Test
  void theTickersOwnSleepIsNotMissed() {
    recorder = recorder(true);
    clock(1, 150, false, 3, 0);
    clocks.threads.put(1, new long[] {TICKER, 900 * MS, 0, 5_000 * MS, 0});
    nextWindow(6_000, 100);
    clocks.threads.put(1, new long[] {TICKER, 6_900 * MS, 1, 9_000 * MS, 0});
    recorder.endWindow(10_000 * MS, 6_000 * MS);
    assertEquals(0, asleep("jebpf-ticker") + asleep("[ended threads]"), 1e-9);
    assertEquals(0, recorder.counters().notSampledNanos(), 1e-9);
    assertEquals(0, recorder.counters().estimated().blocked(), 1e-9);
  }

  /** The ring is full: in each window the last end does not arrive. */
  @Test
  void whereEndsAreLostAllTheTimeTheRestIsMarkedAllTheSame() {
    for (int i = 1; i <= 4; i++) {
      open(1, 1_000 * i - 300, 1_000 * i - 295, ThreadState.BLOCKED, PLAIN, PARK);
      clock(1, 1_000 * i - 100, false, 900 * i, 0); // it ran since
      nextWindow(1_000 * i, 1_000 * (i - 1));
      boolean marked = recorder.counters().notSampledNanos() > 0;
      assertEquals(i > 2, marked, "window " + i);
    }
    double known =
        recorder.counters().estimated().blocked() + recorder.counters().notSampledNanos();
    assertTrue(known > 3_000 * MS, known / MS + " ms of 3600 are in the profiles");
  }

  @Test
  void whereAnEndIsOnItsWayNothingIsDivided() {
    open(1, 103, 104, ThreadState.BLOCKED, PLAIN);
    end(1, 103, 105, 105); // counts for 10 ms
    open(1, 110, 115, ThreadState.BLOCKED, PLAIN, PARK);
    clock(1, 180, false, 70 + 6, 0); // it ran since
    nextWindow(200, 100);
    assertEquals(10 * MS, recorder.counters().estimated().blocked(), 1);
    end(1, 110, 180, 180); // 70 ms, certain, and 4 ms too much were shown before
    open(1, 213, 214, ThreadState.BLOCKED, PLAIN);
    end(1, 213, 215, 215);
    clock(1, 250, false, 70 + 6 + 9, 0);
    recorder.endWindow(300 * MS, 200 * MS);
    assertEquals(85 * MS, recorder.counters().estimated().blocked(), 1);
  }

  @Test
  void whileNobodyLooksNothingIsOwed() {
    recorder.period(0);
    clock(1, 150, false, 90_000, 0);
    nextWindow(200, 100);
    recorder.period(T);
    clock(1, 250, false, 90_002, 0);
    nextWindow(300, 200); // it looked for a part of this one
    open(1, 313, 314, ThreadState.BLOCKED, PLAIN);
    end(1, 313, 315, 315);
    clock(1, 350, false, 90_009, 0);
    recorder.endWindow(400 * MS, 300 * MS);
    assertEquals(7, asleep("thread-1"), 1e-9);
    assertEquals(0, recorder.counters().notSampledNanos());
  }

  private static double blocked(Window window) {
    double sum = 0;
    for (int row = 0; row < window.waitRows(); row++) {
      sum += window.waitBlocked(row);
    }
    return sum;
  }

  /** All is there, to the nanosecond, in each window, in the rows and in the times beside them. */
  @Test
  void sleepersInManyPlacesAreAddedUp() {
    int places = 150; // more than are added up at once
    for (int tid = 1; tid <= 5_000; tid++) {
      clocks.threads.put(tid - 1, new long[] {tid, 50 * MS, 0, 0});
      ThreadState state = tid % 2 == 0 ? ThreadState.BLOCKED : ThreadState.DISK;
      open(tid, 50, 60, state, 100 + tid % places, PARK);
    }
    recorder.endWindow(200 * MS, 100 * MS);
    Window first = window;
    window = newWindow();
    recorder.into(window);
    recorder.beginWindow();
    end(5_000, 50, 230, 230);
    open(5_000, 240, 243, ThreadState.BLOCKED, 100, PARK); // this one moved
    clocks.threads.put(4_999, new long[] {5_000, 240 * MS, 0, 0});
    recorder.endWindow(300 * MS, 200 * MS);
    assertEquals(5_000.0 * 150 * MS, blocked(first), 1);
    assertEquals((4_999.0 * 100 + 30 + 60) * MS, blocked(window), 1);
    assertEquals(500 + places + 2, window.waitRows(), "of their own, shared, the one that moved");
    double[] logged = new double[2];
    VarintWriter out = new VarintWriter(16);
    window.log().writeTo(out);
    EventLog.read(
        new VarintReader(out.toBytes()),
        new EventLog.Sink() {
          @Override
          public void sample(long timeNanos, int row, long weight) {}

          @Override
          public void wait(int row, long from, long turn, long end, double weight, double count) {
            logged[0] += weight * (end - from);
            logged[1] += count;
          }
        });
    assertEquals(blocked(window), logged[0], 1);
    assertEquals(1, logged[1], "new waits");
    assertEquals(5_001, recorder.counters().waits());
  }

  @Test
  void idleSleepersTakeNoRowsFromOthers() {
    for (int tid = 1; tid <= 2_500; tid++) {
      clocks.threads.put(tid - 1, new long[] {tid, 50 * MS, 0, 0});
      open(tid, 50, 60, ThreadState.BLOCKED, tid <= 2_000 ? POOL : PLAIN, PARK);
    }
    recorder.endWindow(200 * MS, 100 * MS);
    assertEquals(500, window.waitRows());
    assertEquals(2_000 * 150 * MS, recorder.counters().idleNanos());
  }
}
