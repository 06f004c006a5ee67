package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Samples of this very JVM, taken by the real kernel with the test object. */
@Tag("kernel")
class SamplingTest {
  private static final long MILLIS = 1_000_000;

  private record Sample(
      long time,
      long weight,
      long start,
      int tid,
      int cpu,
      int end,
      String comm,
      long java,
      int walk) {}

  private KernelPrograms programs;
  private Whoami who;

  @BeforeEach
  void load() throws KernelException {
    Kernel.require();
    programs = Kernel.load();
    who = programs.whoami();
  }

  @AfterEach
  void close() {
    if (programs != null) {
      programs.close();
    }
  }

  private static List<Sample> drain(KernelPrograms from) {
    List<Sample> samples = new ArrayList<>();
    SampleHandler keep =
        s ->
            samples.add(
                new Sample(
                    s.timeNanos(),
                    s.weightNanos(),
                    s.threadStartNanos(),
                    s.tid(),
                    s.cpu(),
                    s.end(),
                    s.comm(),
                    s.javaThread(),
                    s.walkNanos()));
    while (from.ring().poll(keep, 100) > 0) {
      if (samples.size() > 1_000_000) {
        throw new IllegalStateException("the ring does not get empty");
      }
    }
    return samples;
  }

  private List<Sample> mine() {
    return drain(programs).stream().filter(s -> s.tid() == who.namespaceTid()).toList();
  }

  private long stat(KernelStat stat) throws KernelException {
    return stat.of(programs.stats());
  }

  @Test
  void whoamiIsUs() {
    assertEquals(ProcessHandle.current().pid(), who.namespaceTgid());
    assertTrue(Files.exists(Path.of("/proc/self/task/" + who.namespaceTid())));
  }

  @Test
  void aBusyThreadIsSampledAtTheRate() throws KernelException {
    programs.target(who.tgid());
    long before = System.nanoTime();
    programs.cpuSampler().rate(1000);
    Kernel.burn(400 * MILLIS);
    programs.cpuSampler().rate(0);
    long after = System.nanoTime();
    List<Sample> mine = mine();
    assertTrue(mine.size() > 250 && mine.size() < 480, mine.size() + " samples of this thread");
    long last = before;
    for (Sample sample : mine) {
      assertTrue(sample.time() >= last && sample.time() <= after, sample.toString());
      assertEquals(MILLIS, sample.weight());
      assertTrue(sample.cpu() >= 0 && sample.cpu() < OnlineCpus.CPUS_MAX);
      assertTrue(sample.start() == mine.get(0).start() && sample.start() > 0, sample.toString());
      assertEquals(WalkEnd.NO_USER.index(), sample.end());
      assertFalse(sample.comm().isEmpty());
      last = sample.time();
    }
    assertEquals(0, programs.ring().backlogBytes());
    assertEquals(0, programs.ring().malformedRecords());
  }

  @Test
  void nobodyIsSampledWithoutATarget() throws KernelException {
    programs.cpuSampler().rate(1000);
    Kernel.burn(50 * MILLIS);
    assertTrue(stat(KernelStat.EVENTS) > 20);
    assertEquals(0, stat(KernelStat.SAMPLES));
    assertEquals(List.of(), drain(programs));
  }

  @Test
  void rateZeroStopsTheClocksAndTheyStartAgain() throws KernelException {
    programs.target(who.tgid());
    programs.cpuSampler().rate(1000);
    Kernel.burn(50 * MILLIS);
    programs.cpuSampler().rate(0);
    long events = stat(KernelStat.EVENTS);
    assertTrue(events > 20, events + " events");
    Kernel.burn(100 * MILLIS);
    assertEquals(events, stat(KernelStat.EVENTS), "a clock runs at rate 0");
    drain(programs);
    programs.cpuSampler().rate(500);
    Kernel.burn(100 * MILLIS);
    programs.cpuSampler().rate(0);
    List<Sample> mine = mine();
    assertTrue(mine.size() > 25 && mine.size() < 75, mine.size() + " samples at 500 Hz");
    mine.forEach(s -> assertEquals(2 * MILLIS, s.weight()));
  }

  @Test
  void aFullRingLosesAndCounts() throws KernelException {
    programs.close();
    try (KernelObject object = KernelObject.open(Kernel.runtime(), Kernel.testObject())) {
      object.ringBytes(4096);
      programs = object.load();
    }
    assertEquals(4096, programs.ring().capacityBytes());
    programs.target(who.tgid());
    programs.cpuSampler().rate(2000);
    Kernel.burn(100 * MILLIS);
    programs.cpuSampler().rate(0);
    long written = drain(programs).size();
    assertEquals(4096 / (Layout.SAMPLE_BYTES + 8), written, "a full ring");
    long[] stats = programs.stats();
    assertTrue(KernelStat.RING_FULL.of(stats) > 0);
    assertEquals(KernelStat.SAMPLES.of(stats), written + KernelStat.RING_FULL.of(stats));
    programs.cpuSampler().rate(1000);
    Kernel.burn(20 * MILLIS);
    assertFalse(drain(programs).isEmpty(), "space that was read is used again");
  }

  @Test
  void theRingWrapsManyTimesWithoutLoss() throws KernelException {
    programs.close();
    try (KernelObject object = KernelObject.open(Kernel.runtime(), Kernel.testObject())) {
      object.ringBytes(8192);
      programs = object.load();
    }
    programs.target(who.tgid());
    programs.cpuSampler().rate(5000);
    long seen = 0;
    for (int i = 0; i < 100; i++) {
      Kernel.burn(3 * MILLIS);
      seen += drain(programs).size();
    }
    programs.cpuSampler().rate(0);
    seen += drain(programs).size();
    long[] stats = programs.stats();
    assertEquals(KernelStat.SAMPLES.of(stats) - KernelStat.RING_FULL.of(stats), seen);
    assertTrue(seen > 500, seen + " samples through a ring for 93");
    assertEquals(0, programs.ring().malformedRecords());
    assertEquals(0, programs.ring().backlogBytes());
  }

  /** The test object echoes the first mapping's start, and row 0 of table 1. */
  @Test
  void mappingsAndTablesReachTheKernel() throws KernelException {
    UnwindTables tables = programs.unwindTables();
    int rule = tables.rule(1, 16, 1, -16, -8);
    assertEquals(rule, tables.rule(1, 16, 1, -16, -8));
    assertEquals(0, tables.rule(0, 5, 0, 0, 0));
    int other = tables.rule(2, 16, 1, -16, -8);
    assertTrue(other > rule && rule > 0 && tables.rules() == 3);
    int table = tables.add(new int[] {0x77, 0x99}, new int[] {other, 0}, 2);
    assertEquals(1, table);
    programs.target(who.tgid());
    for (long start : new long[] {0x1000, 0x2000, 0x3000}) {
      KernelMapping one = new KernelMapping(start, start + 10, 0, 1, table, 2, 0);
      assertEquals(0, programs.mappings().publish(List.of(one)));
      programs.cpuSampler().rate(1000);
      Kernel.burn(30 * MILLIS);
      programs.cpuSampler().rate(0);
      List<Sample> mine = mine();
      assertFalse(mine.isEmpty());
      for (Sample sample : mine) {
        assertEquals(start, sample.java());
        assertEquals(0x77 << 16 | other, sample.walk());
      }
    }
    tables.remove(table);
    programs.cpuSampler().rate(1000);
    Kernel.burn(30 * MILLIS);
    mine().forEach(s -> assertEquals(0, s.walk(), "the table is gone"));
    assertEquals(table, tables.add(new int[] {1}, new int[] {rule}, 1), "its number is free");
  }

  @Test
  void cpusThatComeAndGoAreFollowed() throws KernelException {
    int[] all = online();
    Assumptions.assumeTrue(all.length > 1, "needs two CPUs");
    programs.close();
    AtomicReference<int[]> online = new AtomicReference<>(all);
    try (KernelObject object = KernelObject.open(Kernel.runtime(), Kernel.testObject())) {
      programs = object.load(online::get);
    }
    CpuSampler sampler = programs.cpuSampler();
    programs.target(who.tgid());
    sampler.rate(1000);
    assertEquals(all.length, sampler.cpus());
    online.set(new int[] {all[0]});
    assertEquals(1, sampler.refresh());
    drain(programs);
    Thread[] busy = new Thread[2 * all.length];
    for (int i = 0; i < busy.length; i++) {
      busy[i] = new Thread(() -> Kernel.burn(100 * MILLIS));
      busy[i].start();
    }
    Kernel.burn(100 * MILLIS);
    List<Sample> samples = drain(programs);
    assertFalse(samples.isEmpty());
    samples.forEach(s -> assertEquals(all[0], s.cpu()));
    online.set(all);
    assertEquals(all.length, sampler.refresh());
    assertEquals("", sampler.lastFailure());
  }

  private static int[] online() {
    try {
      return OnlineCpus.system().read();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Takes a CPU of this machine away: only on request, -Djebpf.test.hotplug=true. */
  @Test
  @EnabledIfSystemProperty(named = "jebpf.test.hotplug", matches = "true")
  void aRealCpuGoesAndComesBack() throws KernelException, IOException {
    int[] all = online();
    int last = all[all.length - 1];
    Path power = Path.of("/sys/devices/system/cpu/cpu" + last + "/online");
    CpuSampler sampler = programs.cpuSampler();
    programs.target(who.tgid());
    sampler.rate(1000);
    assertEquals(all.length, sampler.refresh());
    try {
      Files.writeString(power, "0");
      assertEquals(all.length - 1, sampler.refresh());
      Files.writeString(power, "1");
      assertEquals(all.length, sampler.refresh());
      Files.writeString(power, "0"); // away and back between two looks
    } finally {
      Files.writeString(power, "1");
    }
    drain(programs);
    assertFalse(seesCpu(last), "the old event was expected to be dead");
    assertEquals(all.length, sampler.refresh());
    assertEquals("", sampler.lastFailure());
    assertTrue(seesCpu(last));
  }

  /** Whether samples come from a CPU while all are busy. */
  private boolean seesCpu(int cpu) {
    Thread[] busy = new Thread[8];
    for (int i = 0; i < busy.length; i++) {
      busy[i] = new Thread(() -> Kernel.burn(50 * MILLIS));
      busy[i].start();
    }
    for (Thread thread : busy) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
    return drain(programs).stream().anyMatch(s -> s.cpu() == cpu);
  }

  @Test
  void insideAPidNamespaceTheProcessSeesItsOwnNumbers() {
    List<String> prefix = List.of("unshare", "-p", "-f", "--mount-proc");
    ChildJvm child = ChildJvm.run(prefix, NamespaceMain.class);
    Assumptions.assumeFalse(child.err().startsWith("unshare"), "needs root: " + child.err());
    child.clean();
    assertTrue(child.out().startsWith("namespace 1 kernel "), child.out());
    String[] words = child.out().strip().split("\\s+");
    assertTrue(Integer.parseInt(words[3]) > 1, child.out());
    assertTrue(Integer.parseInt(words[5]) > 20, child.out());
    assertEquals("0", words[7], child.out());
  }

  /** Samples itself; prints its ids, and how many samples have tids that it has, or has not. */
  static final class NamespaceMain {
    private NamespaceMain() {}

    public static void main(String[] arguments) throws Exception {
      try (KernelPrograms programs = Kernel.load()) {
        Whoami who = programs.whoami();
        programs.target(who.tgid());
        programs.cpuSampler().rate(1000);
        Kernel.burn(200 * MILLIS);
        programs.cpuSampler().rate(0);
        List<Sample> samples = drain(programs);
        long own = samples.stream().filter(s -> s.tid() == who.namespaceTid()).count();
        long strange = samples.stream().filter(s -> !ours(s.tid())).count();
        System.out.println(
            "namespace %d kernel %d own %d strange %d"
                .formatted(who.namespaceTgid(), who.tgid(), own, strange));
      }
    }

    private static boolean ours(int tid) {
      return Files.exists(Path.of("/proc/self/task/" + tid));
    }
  }

  @Test
  void anIdleReaderCostsNothingAndBlocksNever() {
    long before = System.nanoTime();
    for (int i = 0; i < 1000; i++) {
      assertEquals(0, programs.ring().poll(s -> {}, 10));
      LockSupport.parkNanos(1000);
    }
    assertTrue(System.nanoTime() - before < 2_000 * MILLIS);
  }
}
