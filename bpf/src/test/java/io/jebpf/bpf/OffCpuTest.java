package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.channels.Selector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Exact clocks and waits of this very JVM, by the real programs on the real kernel. */
@Tag("kernel")
class OffCpuTest {
  private static final long MILLIS = 1_000_000;
  private static final long PERIOD = 10 * MILLIS;
  private static final int STRESS_THREADS = 32;
  private static final int HERD = 32;
  private static final int EDGES = 10;
  private static final int WORK_BYTES = 1 << 19; // some 20 ms

  private record Wait(int tid, long start, String comm, int frames) {}

  private record End(
      int tid,
      long start,
      long woken,
      long end,
      long tick,
      String waker,
      int wakerTid,
      int wakerSlot) {}

  private final List<Wait> waits = new ArrayList<>();
  private final List<Wait> wakers = new ArrayList<>();
  private final List<End> ends = new ArrayList<>();
  private KernelPrograms programs;
  private OffCpu offCpu;
  private Thread ticker;

  @BeforeEach
  void start() throws Exception {
    start(new OffCpuPrograms(10 * MILLIS, false, false), PERIOD);
  }

  private void start(OffCpuPrograms wanted, long period) throws Exception {
    Kernel.require();
    start(KernelObject.open(Kernel.runtime()), wanted, period);
  }

  private void start(KernelObject object, OffCpuPrograms wanted, long period) throws Exception {
    object.offCpu(wanted);
    object.knob("depth_max", 1024);
    try {
      programs = object.load();
    } catch (KernelException e) {
      throw new AssertionError(e.getMessage() + "\n" + e.log(), e);
    }
    offCpu = programs.offCpu().orElseThrow();
    offCpu.start(programs.whoami().tgid());
    ticker = new Thread(() -> offCpu.runTicker(period), "ticker");
    ticker.start();
  }

  @AfterEach
  void stop() throws InterruptedException {
    if (programs != null) {
      offCpu.stop();
      ticker.join(5_000);
      assertTrue(!ticker.isAlive(), "the ticker stops within two periods");
      programs.close();
    }
  }

  private void drain() {
    SampleHandler handler =
        new SampleHandler() {
          @Override
          public void onSample(SampleView s) {
            if (s.isWaker()) {
              wakers.add(new Wait(s.tid(), s.waitStartNanos(), s.comm(), s.kernelFrames()));
            } else if (s.isWait()) {
              waits.add(new Wait(s.tid(), s.waitStartNanos(), s.comm(), s.kernelFrames()));
            }
          }

          @Override
          public void onWaitEnd(WaitEndView e) {
            ends.add(
                new End(
                    e.tid(),
                    e.waitStartNanos(),
                    e.wokenNanos(),
                    e.endNanos(),
                    e.tickNanos(),
                    e.wakerComm(),
                    e.wakerTid(),
                    e.wakerSlot()));
          }
        };
    while (programs.ring().poll(handler, 1000) > 0) {
      assertTrue(waits.size() < 1_000_000);
    }
  }

  private Map<Integer, ClockView> clocks(long now) {
    Map<Integer, ClockView> found = new HashMap<>();
    for (int slot = 0; slot < offCpu.clocks().slots(); slot++) {
      ClockView view = new ClockView();
      if (offCpu.clocks().read(slot, now, view)) {
        found.put(view.tid(), view);
      }
    }
    return found;
  }

  private static long sum(ClockView view) {
    long sum = 0;
    for (ThreadState state : ThreadState.values()) {
      sum += view.nanos(state);
    }
    return sum;
  }

  @Test
  void clocksAddUpToLifetimes() throws Exception {
    long started = System.nanoTime();
    CountDownLatch done = new CountDownLatch(1);
    Thread busy = new Thread(() -> Kernel.burn(200 * MILLIS), "busy");
    Thread parked = new Thread(() -> await(done), "parked");
    busy.start();
    parked.start();
    busy.join();
    Thread.sleep(100);
    long now = System.nanoTime();
    Map<Integer, ClockView> clocks = clocks(now);
    long readNanos = System.nanoTime() - now; // a clock that changed meanwhile is that much ahead
    done.countDown();
    int threads = new java.io.File("/proc/self/task").list().length;
    assertTrue(clocks.size() >= threads - 2, clocks.size() + " clocks of " + threads);
    for (ClockView view : clocks.values()) {
      if (view.state() != ThreadState.ENDED) {
        long lifetime = now - view.firstNanos();
        assertEquals(lifetime, sum(view), lifetime / 1000.0 + 1000 + readNanos, view.comm());
      }
    }
    ClockView burned =
        clocks.values().stream().filter(v -> v.comm().equals("busy")).findFirst().orElseThrow();
    assertEquals(ThreadState.ENDED, burned.state());
    assertTrue(burned.nanos(ThreadState.RUNNING) >= 200 * MILLIS);
    assertTrue(burned.nanos(ThreadState.RUNNING) <= now - started);
    ClockView waiting =
        clocks.values().stream().filter(v -> v.comm().equals("parked")).findFirst().orElseThrow();
    assertTrue(waiting.nanos(ThreadState.BLOCKED) >= 250 * MILLIS, "it only waited");
  }

  /**
   * Threads are found by the end of their number, and of most of these it is the same. Nor does the
   * scheduler tell here how long they waited for a CPU.
   */
  @Test
  void threadsWhoseNumbersEndAlikeHaveClocksOfTheirOwn() throws Exception {
    stop();
    byte[] crowded = KernelObject.resource("crowded.bpf.o");
    start(
        KernelObject.open(Kernel.runtime(), crowded),
        new OffCpuPrograms(10 * MILLIS, false, false),
        PERIOD);
    clocksAddUpToLifetimes();
    everyLongWaitIsRecordedWithItsLength();
    wakersAreNamed();
    for (int round = 0; round < 3; round++) { // their numbers and slots come back
      CountDownLatch end = new CountDownLatch(1);
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < STRESS_THREADS; i++) {
        threads.add(new Thread(() -> await(end), "round-" + round));
        threads.getLast().start();
      }
      Thread.sleep(50);
      end.countDown();
      for (Thread thread : threads) {
        thread.join();
      }
    }
    Thread.sleep(20);
    int ended = 0;
    for (int slot = 0; slot < offCpu.clocks().slots(); slot++) {
      ClockView view = new ClockView();
      if (offCpu.clocks().read(slot, System.nanoTime(), view) && view.comm().startsWith("round-")) {
        assertEquals(ThreadState.ENDED, view.state());
        assertTrue(view.nanos(ThreadState.BLOCKED) > 0, "a clock of its own");
        ended++;
      }
    }
    assertEquals(3 * STRESS_THREADS, ended);
  }

  @Test
  void everyLongWaitIsRecordedWithItsLength() throws Exception {
    int tid = programs.whoami().namespaceTid();
    List<long[]> slept = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      long busy = ranAndQueuedNanos();
      long from = System.nanoTime();
      LockSupport.parkNanos(30 * MILLIS);
      long to = System.nanoTime();
      slept.add(new long[] {from, to, ranAndQueuedNanos() - busy});
    }
    drain();
    List<End> mine = ends.stream().filter(e -> e.tid() == tid).toList();
    for (long[] sleep : slept) {
      long length =
          mine.stream()
              .mapToLong(e -> Math.min(e.end(), sleep[1]) - Math.max(e.start(), sleep[0]))
              .filter(overlap -> overlap > 0)
              .sum();
      long asleep = sleep[1] - sleep[0] - sleep[2];
      assertTrue(asleep - length < 5 * MILLIS, "a wait of 30 ms is missing in part");
    }
    for (End end : mine) {
      assertTrue(end.start() <= end.woken() && end.woken() <= end.end(), end.toString());
      assertTrue(
          waits.stream().anyMatch(w -> w.tid() == tid && w.start() == end.start()),
          "an end without its beginning");
    }
    assertTrue(waits.stream().filter(w -> w.tid() == tid).allMatch(w -> w.frames() > 0));
    assertEquals(0, KernelStat.WAIT_END_LOST.of(programs.stats()));
    assertEquals(0, offCpu.failedTicks(), () -> "errno " + offCpu.lastTickError());
  }

  /** What this thread has run, and waited for a CPU: as the scheduler says. */
  private static long ranAndQueuedNanos() throws IOException {
    String[] values = Files.readString(Path.of("/proc/thread-self/schedstat")).split(" ");
    return Long.parseLong(values[0]) + Long.parseLong(values[1]);
  }

  /**
   * While no thread leaves a CPU there are no ticks, and which of the waits after that are met is
   * chance as ever: one of 2 ms with ticks 10 ms apart in one case of five or a few more, never
   * because it rang the bell.
   */
  @Test
  void aTickerThatSleptMeetsWhatItWouldHaveMet() throws Exception {
    int tid = programs.whoami().namespaceTid();
    Thread.sleep(200);
    long ticks = offCpu.ticks();
    long quiet = offCpu.quietTicks();
    long late = offCpu.lateTicks();
    long start = System.nanoTime();
    int rounds = 100;
    double expected = 0;
    for (int i = 0; i < rounds; i++) {
      long from = System.nanoTime();
      LockSupport.parkNanos(2 * MILLIS);
      expected += Math.min(1.0, (System.nanoTime() - from) / (double) PERIOD);
      LockSupport.parkNanos(50 * MILLIS);
    }
    long cells = (System.nanoTime() - start) / PERIOD;
    ticks = offCpu.ticks() - ticks;
    quiet = offCpu.quietTicks() - quiet;
    late = offCpu.lateTicks() - late;
    Thread.sleep(50);
    drain();
    Map<Long, End> known = new HashMap<>();
    ends.forEach(e -> known.put(e.start(), e));
    long brief = 0;
    long whole = 0;
    for (Wait wait : waits) {
      End end = wait.tid() == tid && wait.start() > start ? known.get(wait.start()) : null;
      if (end != null && end.end() - end.start() < PERIOD) {
        brief++;
      } else if (end != null) {
        whole++;
      }
    }
    String seen = ticks + " ticks, " + quiet + " left out, " + late + " late; cells: " + cells;
    assertTrue(quiet > cells / 20, seen); // it stays awake for a while after sleeps in vain
    long all = ticks + quiet + late;
    assertTrue(all > cells * 0.9 && all < cells * 1.1, seen);
    assertTrue(whole >= rounds - 2, whole + " of " + rounds + " long waits met");
    double deviation = Math.sqrt(expected);
    assertEquals(expected, brief, 5 * deviation, "short waits met; " + seen);
  }

  /**
   * A thread that goes to sleep on a busy machine is asleep, not waiting for a CPU, whatever the
   * scheduler's own account says of it (it is wrong for some 5 in 10,000 on Linux 6.18).
   */
  @Test
  void whoSleepsOnABusyMachineIsAsleep() throws Exception {
    int rounds = 8;
    CountDownLatch[] turns = new CountDownLatch[rounds];
    Arrays.setAll(turns, i -> new CountDownLatch(1));
    List<Thread> sleepers = new ArrayList<>();
    for (int i = 0; i < 1_500; i++) {
      Runnable sleeps = () -> List.of(turns).forEach(OffCpuTest::await);
      sleepers.add(new Thread(null, sleeps, "sleeper", 128 << 10));
      sleepers.getLast().start();
    }
    Thread[] burning = new Thread[6];
    for (int i = 0; i < burning.length; i++) {
      burning[i] = new Thread(() -> Kernel.burn(1_000 * MILLIS), "burning");
      burning[i].start();
    }
    for (int i = 0; i < rounds - 1; i++) { // each time all of them go to sleep again
      Thread.sleep(200);
      turns[i].countDown();
    }
    for (Thread thread : burning) {
      thread.join();
    }
    Thread.sleep(100);
    offCpu.findWoken();
    Map<Integer, Long> before = new HashMap<>();
    clocks(System.nanoTime()).forEach((tid, view) -> before.put(tid, queued(view)));
    Thread.sleep(1_500);
    offCpu.findWoken();
    assertSlept(sleepers.size(), before);
    turns[rounds - 1].countDown();
    for (Thread thread : sleepers) {
      thread.join();
    }
    assertSlept(sleepers.size(), before);
  }

  private void assertSlept(int threads, Map<Integer, Long> queuedBefore) {
    int found = 0;
    for (ClockView clock : clocks(System.nanoTime()).values()) {
      if (clock.comm().equals("sleeper")) {
        found++;
        long queued = queued(clock) - queuedBefore.getOrDefault(clock.tid(), 0L);
        assertTrue(queued < 1_200 * MILLIS, "asleep, but waited " + queued + " ns for a CPU");
      }
    }
    assertEquals(threads, found);
  }

  private static long queued(ClockView view) {
    return view.nanos(ThreadState.RUNNABLE);
  }

  /** Whoever drains the ring may sleep for long: it fills, and he is woken. */
  @Test
  void whoSleepsLongIsWokenWhenTheRingFills() throws Exception {
    stop();
    KernelObject object = KernelObject.open(Kernel.runtime());
    object.ringBytes(256 << 10);
    start(object, new OffCpuPrograms(10 * MILLIS, false, false), PERIOD);
    CountDownLatch done = new CountDownLatch(1);
    Thread noise =
        new Thread(
            () -> {
              while (done.getCount() > 0) {
                deep(200, () -> LockSupport.parkNanos(25 * MILLIS));
              }
            });
    try (Alarm alarm = programs.openAlarm()) {
      drain();
      alarm.await(300 * MILLIS); // what came until now is no reason to wake
      noise.start();
      long start = System.nanoTime();
      alarm.await(120_000 * MILLIS);
      assertTrue(System.nanoTime() - start < 100_000 * MILLIS, "not woken");
      long backlog = programs.ring().backlogBytes();
      assertTrue(backlog > programs.ring().capacityBytes() / 9, backlog + " bytes are no reason");
    } finally {
      done.countDown();
      noise.join();
    }
  }

  /** No mapping was published here: every walk ends in code that is in none. */
  @Test
  void whoSleepsLongIsWokenForUnknownCodeToo() throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    Thread noise = sleeper("noise", new AtomicBoolean(), done);
    try (Alarm alarm = programs.openAlarm()) {
      drain();
      noise.start();
      long start = System.nanoTime();
      alarm.await(120_000 * MILLIS, Alarm.Until.UNKNOWN);
      assertTrue(System.nanoTime() - start < 100_000 * MILLIS, "not woken");
      long backlog = programs.ring().backlogBytes();
      assertTrue(backlog < programs.ring().capacityBytes() / 9, backlog + " bytes are a reason");
    } finally {
      done.countDown();
      noise.join();
    }
  }

  /** Of a quiet thread no sleep is met, though its clock goes on; where it loses its CPU, it is. */
  @Test
  void quietThreadsAreMetOnlyWhereTheyLoseTheirCpu() throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    AtomicBoolean spins = new AtomicBoolean();
    List<Thread> threads = List.of(sleeper("quiet", spins, done), sleeper("loud", spins, done));
    threads.forEach(Thread::start);
    try {
      Thread.sleep(200);
      Map<String, Integer> slots = slotsByComm();
      offCpu.clocks().quiet(slots.get("quiet"));
      if (Runtime.getRuntime().availableProcessors() > 1) { // in step they take it from each other
        Herd.pin(view(slots.get("quiet")).tid(), "0");
        Herd.pin(view(slots.get("loud")).tid(), "1");
      }
      Thread.sleep(100);
      drain();
      waits.clear();
      long before = view(slots.get("quiet")).nanos(ThreadState.BLOCKED);
      Thread.sleep(1_000);
      drain();
      assertTrue(met("loud") > 10, met("loud") + " waits of the other");
      assertTrue(met("quiet") < met("loud") / 5, met("quiet") + " waits"); // it may lose its CPU
      ClockView view = view(slots.get("quiet"));
      assertTrue(view.isQuiet());
      assertTrue(view.nanos(ThreadState.BLOCKED) - before > 800 * MILLIS, "its clock goes on");
      for (String name : slots.keySet()) {
        if (name.equals("quiet") || name.equals("loud")) {
          Herd.pin(view(slots.get(name)).tid(), "0");
        }
      }
      spins.set(true);
      long deadline = System.nanoTime() + 60_000 * MILLIS;
      while (met("quiet") == 0 && System.nanoTime() < deadline) {
        Thread.sleep(200);
        drain();
      }
      assertTrue(met("quiet") > 0, "two want one CPU");
    } finally {
      done.countDown();
      for (Thread thread : threads) {
        thread.join();
      }
    }
  }

  /** A turn from before may be later than the wait by another CPU's clock. */
  @Test
  void whoSleepsHasNoTurn() throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    Thread thread =
        new Thread(
            () -> {
              while (done.getCount() > 0) {
                LockSupport.park();
              }
            },
            "sleeps");
    thread.start();
    try {
      Thread.sleep(200);
      int slot = slotsByComm().get("sleeps");
      offCpu.clocks().quiet(slot); // else its wake-up is watched, and nobody asks
      LockSupport.unpark(thread);
      Thread.sleep(200);
      offCpu.clocks().turn(slot, System.nanoTime() - MILLIS);
      ClockView before = view(slot);
      assertTrue(before.turnNanos() > 0, "or this test tests nothing");
      offCpu.findWoken();
      assertEquals(0, view(slot).turnNanos());
      assertTrue(view(slot).nanos(ThreadState.BLOCKED) >= before.nanos(ThreadState.BLOCKED));
    } finally {
      done.countDown();
      LockSupport.unpark(thread);
      thread.join();
    }
  }

  private static Thread sleeper(String name, AtomicBoolean spins, CountDownLatch done) {
    return new Thread(
        () -> {
          while (done.getCount() > 0) {
            if (!spins.get()) {
              LockSupport.parkNanos(25 * MILLIS);
            }
          }
        },
        name);
  }

  private long met(String comm) {
    return waits.stream().filter(wait -> wait.comm().equals(comm)).count();
  }

  private ClockView view(int slot) {
    ClockView view = new ClockView();
    assertTrue(offCpu.clocks().read(slot, System.nanoTime(), view));
    return view;
  }

  private Map<String, Integer> slotsByComm() {
    Map<String, Integer> slots = new HashMap<>();
    for (int slot = 0; slot < offCpu.clocks().slots(); slot++) {
      ClockView view = new ClockView();
      if (offCpu.clocks().read(slot, System.nanoTime(), view)) {
        slots.put(view.comm(), slot);
      }
    }
    return slots;
  }

  /**
   * Kernel stacks by a path that an earlier wait went: each is compared with the kernel's own walk.
   */
  @Test
  void knownPathsAreThoseOfTheKernel() throws Exception {
    stop();
    KernelObject object = KernelObject.open(Kernel.runtime());
    object.knob("check_paths", 1);
    start(object, new OffCpuPrograms(10 * MILLIS, false, false), 2 * MILLIS);
    Path file = Files.createTempFile("jebpf", ".sync");
    Pipe pipe = Pipe.open();
    Selector selector = Selector.open();
    Object monitor = new Object();
    List<Callable<?>> waiting =
        List.of(
            () -> write(file),
            () -> pipe.source().read(ByteBuffer.allocate(1)),
            () -> pipe.sink().write(ByteBuffer.allocate(1)) + sleep(3),
            () -> selector.select(3),
            () -> sleep(3),
            () -> {
              LockSupport.parkNanos(3 * MILLIS);
              return null;
            },
            () -> {
              synchronized (monitor) {
                monitor.wait(3);
                return sleep(1);
              }
            },
            () -> {
              synchronized (monitor) {
                return sleep(2);
              }
            });
    long end = System.nanoTime() + 4_000 * MILLIS;
    List<FutureTask<Void>> loops = new ArrayList<>();
    for (Callable<?> wait : waiting) {
      FutureTask<Void> loop =
          new FutureTask<>(
              () -> {
                while (System.nanoTime() < end) {
                  wait.call();
                }
                pipe.sink().write(ByteBuffer.allocate(1)); // who reads may wait for the last one
                return null;
              });
      loops.add(loop);
      new Thread(loop).start();
    }
    for (FutureTask<Void> loop : loops) {
      loop.get(60, TimeUnit.SECONDS);
    }
    pipe.source().close();
    pipe.sink().close();
    selector.close();
    Files.delete(file);
    long[] stats = programs.stats();
    long known = KernelStat.PATHS.of(stats);
    long taken = KernelStat.WAITS.of(stats);
    assertEquals(0, KernelStat.PATH_WRONG.of(stats), known + " by a known path");
    assertTrue(known > 100 && known > taken / 2, known + " of " + taken);
  }

  private static int sleep(long millis) throws InterruptedException {
    Thread.sleep(millis);
    return 0;
  }

  private static Object write(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.allocate(4096));
      channel.force(true);
    }
    return null;
  }

  private static void deep(int frames, Runnable leaf) {
    if (frames > 0) {
      deep(frames - 1, leaf);
    } else {
      leaf.run();
    }
  }

  @Test
  void threadsThatSleptBeforeAreSeenToo() throws Exception {
    drain();
    Thread.sleep(50);
    drain();
    assertTrue(
        waits.stream().anyMatch(w -> w.comm().equals("Signal Dispatch")),
        "it sleeps since the JVM started: " + waits.stream().map(Wait::comm).distinct().toList());
  }

  @Test
  void noWaitIsLeftWithoutItsEnd() throws Exception {
    stop();
    start(new OffCpuPrograms(10 * MILLIS, false, false), 2 * MILLIS);
    assertEveryWaitHasItsEnd();
  }

  @Test
  void soItIsWithTheTaskIterator() throws Exception {
    stop();
    start(new OffCpuPrograms(10 * MILLIS, false, true), 2 * MILLIS);
    assertEveryWaitHasItsEnd();
    Thread.sleep(50);
    drain();
    assertTrue(
        waits.stream().anyMatch(w -> w.comm().equals("Signal Dispatch")),
        "it sleeps since the JVM started: " + waits.stream().map(Wait::comm).distinct().toList());
  }

  /** Threads that park for moments and wake each other, on all CPUs. */
  private void assertEveryWaitHasItsEnd() throws Exception {
    Thread[] threads = new Thread[STRESS_THREADS];
    long until = System.nanoTime() + 2_000 * MILLIS;
    for (int i = 0; i < threads.length; i++) {
      Random random = new Random(i);
      Runnable work =
          () -> {
            while (System.nanoTime() < until) {
              LockSupport.parkNanos(random.nextInt(4_000_000));
              LockSupport.unpark(threads[random.nextInt(threads.length)]);
            }
          };
      threads[i] = new Thread(work, "stress-" + i);
    }
    for (Thread thread : threads) {
      thread.start();
    }
    while (System.nanoTime() < until) {
      drain();
      Thread.sleep(5);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    Thread.sleep(50);
    drain();
    Set<List<Long>> ended = new HashSet<>();
    ends.forEach(e -> ended.add(List.of((long) e.tid(), e.start())));
    List<Wait> ofThreads = waits.stream().filter(w -> w.comm().startsWith("stress-")).toList();
    long without =
        ofThreads.stream().filter(w -> !ended.contains(List.of((long) w.tid(), w.start()))).count();
    long lost = KernelStat.WAIT_END_LOST.of(programs.stats());
    assertTrue(ofThreads.size() > 1_000, "waits met: " + ofThreads.size());
    assertTrue(without <= lost, without + " of " + ofThreads.size() + " waits have no end");
  }

  @Test
  void whoWasWokenWaitsForACpuAtAnEdge() throws Exception {
    assertWokenThreadsAreRunnable();
  }

  /** Who sleeps with its stack known has its wake-up watched; for others the scheduler is asked. */
  @Test
  void soItIsAtAnEdgeWithoutStacks() throws Exception {
    offCpu.stop();
    ticker.join(5_000);
    assertWokenThreadsAreRunnable();
  }

  @Test
  void soItIsAtAnEdgeWithTheTaskIterator() throws Exception {
    stop();
    start(new OffCpuPrograms(10 * MILLIS, false, true), PERIOD);
    assertWokenThreadsAreRunnable();
  }

  /**
   * Threads of one CPU that sleep, are woken together, and then do not sleep again: most have to
   * wait for their first turn through several readings of the clocks.
   */
  private void assertWokenThreadsAreRunnable() throws Exception {
    int cpus = Runtime.getRuntime().availableProcessors(); // of the calling thread
    assumeTrue(cpus > 1, "one CPU is the herd's");
    int own = programs.whoami().namespaceTid();
    Herd.pin(own, "1"); // who reads is not to wait among them
    try {
      assertWokenAreRunnable(new Herd());
    } finally {
      Herd.pin(own, "0-" + (cpus - 1));
    }
  }

  private void assertWokenAreRunnable(Herd herd) throws Exception {
    herd.start();
    Map<Integer, ClockView> slept = edgeAtRest(herd);
    Map<Integer, Long> queued = herd.queuedNanos();
    Map<Integer, Long> sleeps = herd.sleeps();
    herd.wake();
    long woken = System.nanoTime();
    List<Map<Integer, ClockView>> edges = new ArrayList<>();
    for (int i = 0; i < EDGES; i++) {
      edges.add(edge());
      Thread.sleep(10);
    }
    Map<Integer, Long> sleepsAfter = herd.sleeps();
    int awake = 0;
    int waiting = 0;
    for (int tid : herd.tids()) {
      if (!sleeps.get(tid).equals(sleepsAfter.get(tid))) {
        continue; // it had to stop for a safepoint
      }
      awake++;
      for (int i = 1; i < EDGES; i++) {
        ClockView last = edges.get(i).get(tid);
        long asleep =
            last.nanos(ThreadState.BLOCKED) - edges.get(i - 1).get(tid).nanos(ThreadState.BLOCKED);
        assertEquals(0, asleep, MILLIS, "of 10 ms asleep in window " + i + ", " + last.comm());
        assertTrue(last.turnNanos() < woken + MILLIS, "woken later than it was");
        waiting += last.turnNanos() != 0 ? 1 : 0;
      }
    }
    assertTrue(awake > HERD / 4, "threads that did not sleep: " + awake);
    assertTrue(waiting > HERD / 4, "times that one waited for its first turn: " + waiting);
    herd.done.await();
    Map<Integer, ClockView> rested = edgeAtRest(herd);
    Map<Integer, Long> told = herd.queuedNanos();
    int wrong = 0; // by whoSleepsOnABusyMachineIsAsleep: schedstat has some sleepers wait
    for (int tid : herd.tids()) {
      long clock =
          rested.get(tid).nanos(ThreadState.RUNNABLE) - slept.get(tid).nanos(ThreadState.RUNNABLE);
      long more = told.get(tid) - queued.get(tid) - clock;
      assertTrue(more > -MILLIS, "beside schedstat " + -more + " ns more");
      wrong += more > MILLIS ? 1 : 0;
    }
    assertTrue(wrong <= HERD / 16, wrong + " of " + HERD + " have more by schedstat");
  }

  /** The same when all of the herd are asleep. */
  private Map<Integer, ClockView> edgeAtRest(Herd herd) throws Exception {
    long deadline = System.nanoTime() + 60_000 * MILLIS;
    while (System.nanoTime() < deadline) {
      Thread.sleep(20);
      Map<Integer, ClockView> found = edge();
      if (herd.tids().stream()
          .map(found::get)
          .allMatch(v -> v.state() == ThreadState.BLOCKED && v.turnNanos() == 0)) {
        return found;
      }
    }
    throw new AssertionError("the herd does not come to rest");
  }

  /** The clocks as at a window's end. */
  private Map<Integer, ClockView> edge() throws KernelException {
    long now = System.nanoTime();
    offCpu.findWoken();
    return clocks(now);
  }

  /**
   * Threads of CPU 0: asleep, then in native code that computes and that no safepoint stops, then
   * asleep again.
   */
  private static final class Herd {
    private final List<Thread> threads = new ArrayList<>();
    private final Map<Thread, Integer> tids = new ConcurrentHashMap<>();
    private final CountDownLatch done = new CountDownLatch(HERD);
    private volatile boolean isAwake;

    void start() throws Exception {
      CountDownLatch started = new CountDownLatch(HERD);
      for (int i = 0; i < HERD; i++) {
        Thread thread = new Thread(() -> live(started), "herd-" + i);
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
      }
      started.await();
      for (int tid : tids.values()) {
        pin(tid, "0");
      }
    }

    static void pin(int tid, String cpus) throws Exception {
      Process called =
          new ProcessBuilder("taskset", "-cp", cpus, Integer.toString(tid))
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      assertEquals(0, called.waitFor(), "taskset");
    }

    private void live(CountDownLatch started) {
      try {
        Path own = Files.readSymbolicLink(Path.of("/proc/thread-self"));
        tids.put(Thread.currentThread(), Integer.parseInt(own.getFileName().toString()));
      } catch (IOException e) {
        return; // the test waits in vain
      }
      Deflater work = new Deflater(Deflater.BEST_COMPRESSION);
      ByteBuffer from = ByteBuffer.allocateDirect(WORK_BYTES);
      ByteBuffer to = ByteBuffer.allocateDirect(2 * WORK_BYTES);
      new Random(1).ints(WORK_BYTES / 4).forEach(from::putInt);
      work.setInput(from.flip());
      work.finish();
      started.countDown();
      while (!isAwake) {
        LockSupport.park();
      }
      work.deflate(to);
      done.countDown();
      while (true) {
        LockSupport.park();
      }
    }

    void wake() {
      isAwake = true;
      threads.forEach(LockSupport::unpark);
    }

    Set<Integer> tids() {
      return new HashSet<>(tids.values());
    }

    /** How often each went to sleep, by the scheduler. */
    Map<Integer, Long> sleeps() throws IOException {
      Map<Integer, Long> found = new HashMap<>();
      for (int tid : tids.values()) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/task/" + tid + "/status"))) {
          String line = lines.filter(l -> l.startsWith("voluntary")).findFirst().orElseThrow();
          found.put(tid, Long.parseLong(line.split("\\s+")[1]));
        }
      }
      return found;
    }

    /** What each has waited for a CPU, by the scheduler. */
    Map<Integer, Long> queuedNanos() throws IOException {
      Map<Integer, Long> found = new HashMap<>();
      for (int tid : tids.values()) {
        String text = Files.readString(Path.of("/proc/self/task/" + tid + "/schedstat"));
        found.put(tid, Long.parseLong(text.split(" ")[1]));
      }
      return found;
    }
  }

  @Test
  void wakersHaveStacks() throws Exception {
    stop();
    start(new OffCpuPrograms(10 * MILLIS, true, false), PERIOD);
    Thread sleeper = Thread.currentThread();
    for (int i = 0; i < 5; i++) {
      Thread waker =
          new Thread(
              () -> {
                LockSupport.parkNanos(60 * MILLIS);
                LockSupport.unpark(sleeper);
              },
              "the-waker");
      waker.start();
      LockSupport.park();
      waker.join();
    }
    int tid = programs.whoami().namespaceTid();
    drain();
    Wait waker =
        wakers.stream()
            .filter(w -> w.tid() == tid && w.comm().equals("the-waker"))
            .findFirst()
            .orElseThrow(() -> new AssertionError(wakers.toString()));
    assertTrue(waker.frames() > 0, "the way through the kernel to the wake-up");
    assertTrue(
        waits.stream().anyMatch(w -> w.tid() == tid && w.start() == waker.start()),
        "of a wait whose own stack is known");
  }

  @Test
  void wakersAreNamed() throws Exception {
    Thread sleeper = Thread.currentThread();
    Thread waker =
        new Thread(
            () -> {
              LockSupport.parkNanos(60 * MILLIS);
              LockSupport.unpark(sleeper);
            },
            "the-waker");
    waker.start();
    LockSupport.park();
    waker.join();
    int tid = programs.whoami().namespaceTid();
    drain();
    End end =
        ends.stream()
            .filter(e -> e.tid() == tid && e.waker().equals("the-waker"))
            .findFirst()
            .orElseThrow(() -> new AssertionError(ends.toString()));
    ClockView clock = new ClockView();
    assertTrue(offCpu.clocks().read(end.wakerSlot(), System.nanoTime(), clock));
    assertEquals(end.wakerTid(), clock.kernelTid(), "though it has ended");
    assertEquals("the-waker", clock.comm());
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
