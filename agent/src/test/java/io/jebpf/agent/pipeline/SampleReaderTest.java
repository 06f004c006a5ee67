package io.jebpf.agent.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.engine.EngineException;
import io.jebpf.agent.history.History;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.options.Options.LogLevel;
import io.jebpf.agent.options.OptionsBuilder;
import io.jebpf.agent.pprof.PprofRules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reader and writer stepped by hand, with a clock of the test's own and no threads. */
class SampleReaderTest {
  private static final long SECOND = 1_000_000_000L;
  @TempDir private Path directory;
  private final AtomicLong clock = new AtomicLong(5 * SECOND);
  private final FakeEngine engine = new FakeEngine();
  private final History history = new History(300 * SECOND, 16 << 20);
  private AgentLog log;
  private WindowWriter writer;
  private SampleReader reader;

  @BeforeEach
  void open() {
    log = AgentLog.toFile(directory.resolve("log"), LogLevel.INFO);
    Options options = options(100);
    writer = new WindowWriter(options, log, history, Optional.empty());
    reader =
        new SampleReader(
            engine, options, writer, new AgentIdentity("jebpf 1", "25", 7), log, clock::get);
  }

  private Options options(int hz) {
    return new OptionsBuilder("shop")
        .out(Optional.of(directory.resolve("out")))
        .diskBytes(1 << 20)
        .cpuHz(hz)
        .labels(Map.of("env", "test"))
        .build();
  }

  private void stepAfter(long nanos) {
    clock.addAndGet(nanos);
    reader.step();
  }

  private void write() throws IOException {
    writer.end();
    try {
      writer.run();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private List<PprofRules> profiles() throws IOException {
    try (Stream<Path> files = Files.list(directory.resolve("out"))) {
      List<PprofRules> read = new java.util.ArrayList<>();
      for (Path file : files.sorted().toList()) {
        read.add(new PprofRules(Files.readAllBytes(file)));
      }
      return read;
    }
  }

  private String logText() throws IOException {
    return Files.readString(directory.resolve("log"));
  }

  @Test
  void aWindowBecomesAProfileWithItsQuality() throws Exception {
    reader.start();
    engine.sample(1, 10_000_000);
    engine.sample(1, 10_000_000);
    engine.sample(2, 10_000_000);
    engine.programNanos = 30_000;
    stepAfter(4 * SECOND);
    stepAfter(7 * SECOND);
    write();
    PprofRules profile = profiles().get(0);
    assertEquals(List.of(), profile.broken);
    assertEquals(11 * SECOND, profile.durationNanos);
    assertEquals(10_000_000, profile.period);
    assertEquals(2, profile.samples.size());
    assertEquals(Map.of("thread", "main", "env", "test"), profile.samples.get(0).labels());
    assertEquals("jebpf 1", profile.comment("agent"));
    assertEquals("kernel symbols", profile.comment("missing"));
    assertEquals("3", profile.comment("samples_taken"));
    assertEquals("0", profile.comment("samples_lost"));
    assertEquals("3", profile.comment("walks_root"));
    assertEquals("30000000", profile.comment("cpu_sampled_ns"));
    assertEquals("30000", profile.comment("program_ns"));
    assertEquals("10000", profile.comment("program_ns_per_sample"));
    assertEquals("100", profile.comment("rate_hz"));
    assertFalse(profile.comment("cpu_exact_ns").isEmpty());
    assertEquals(3, reader.snapshot().taken());
  }

  /** Its turns cost more than all it finds in them; the kernel wakes it where that changes. */
  @Test
  void whereNothingMovesTheReaderComesSeldom() throws Exception {
    reader.start();
    long begun = clock.get();
    long wait = 0;
    for (int i = 0; i < 8; i++) {
      clock.addAndGet(wait);
      long next = reader.step();
      long left = 10 * SECOND - (clock.get() - begun) % (10 * SECOND);
      assertTrue(next <= left || next == SECOND / 10, next + " ns: the window ends in " + left);
      wait = next;
    }
    engine.backlogBytes = 0;
    clock.addAndGet(10 * SECOND - (clock.get() - begun) % (10 * SECOND));
    assertEquals(5 * SECOND, reader.step());
    clock.addAndGet(5 * SECOND);
    engine.backlogBytes = 60_000; // 1,200 in a tenth of a second
    assertEquals(SECOND / 10, reader.step());
    engine.backlogBytes = 100;
    clock.addAndGet(SECOND / 10);
    assertEquals(SECOND / 5, reader.step());
  }

  @Test
  void whoAsksForFiguresGetsThoseOfThisSecond() throws Exception {
    reader.start();
    stepAfter(2 * SECOND);
    assertEquals(0, reader.freshSnapshot().taken());
    engine.sample(1, 10_000_000);
    CompletableFuture<Snapshot> answer;
    clock.addAndGet(2 * SECOND);
    answer = CompletableFuture.supplyAsync(reader::freshSnapshot);
    engine.await(60 * SECOND); // it is woken
    reader.step();
    assertEquals(1, answer.get(60, TimeUnit.SECONDS).taken());
  }

  /** The application's heap is full for a while: what was sampled since the last window is lost. */
  @Test
  void outOfMemoryCostsTheOpenWindowAndIsCounted() throws Exception {
    reader.start();
    for (int window = 0; window < 4; window++) { // more than there are windows
      engine.sample(1, 10_000_000);
      stepAfter(SECOND);
      engine.sample(1, 10_000_000);
      engine.outOfMemory = 2;
      stepAfter(SECOND);
      engine.sample(1, 10_000_000);
      assertEquals(SECOND, reader.step(), "goes on at once");
      engine.sample(2, 10_000_000);
      stepAfter(SECOND);
      stepAfter(11 * SECOND);
      writer.writeWaiting();
    }
    assertEquals(8, reader.snapshot().memoryErrors());
    assertEquals(4, reader.snapshot().discarded());
    assertEquals(8, reader.snapshot().taken());
    write();
    assertEquals(4, profiles().size());
    profiles().forEach(profile -> assertEquals("1", profile.comment("samples_taken")));
    assertTrue(logText().contains(Trouble.READER_MEMORY.title() + ": 1 samples"), logText());
  }

  @Test
  void countersOfAWindowAreItsOwn() throws Exception {
    reader.start();
    engine.sample(1, 1);
    engine.ringFull = 2;
    stepAfter(11 * SECOND);
    reader.askRate(100);
    engine.sample(1, 1);
    engine.ringFull = 7;
    writer.writeWaiting();
    stepAfter(11 * SECOND);
    write();
    List<PprofRules> profiles = profiles();
    assertEquals(2, profiles.size());
    profiles.forEach(profile -> assertEquals("1", profile.comment("samples_taken")));
    assertEquals(
        List.of("2", "5"),
        profiles.stream().map(profile -> profile.comment("samples_lost_ring_full")).toList());
    assertTrue(logText().contains(Trouble.SAMPLES_LOST.title() + ": 2 (ring full 2"), logText());
  }

  @Test
  void aBusyWriterMakesTheWindowLongerAndLosesNothing() throws Exception {
    reader.start();
    for (int window = 0; window < 4; window++) {
      engine.sample(window, 5);
      stepAfter(11 * SECOND); // the writer does nothing
    }
    reader.finish();
    write();
    List<PprofRules> profiles = profiles();
    assertEquals(
        List.of("1", "3"),
        profiles.stream().map(profile -> profile.comment("samples_taken")).sorted().toList());
    assertEquals(1, reader.snapshot().windowsExtended());
    assertEquals(4, reader.snapshot().taken());
  }

  @Test
  void zeroPausesAndAnotherRateGoesOn() throws Exception {
    reader.start();
    engine.sample(1, 5);
    stepAfter(SECOND / 10);
    reader.askRate(0);
    stepAfter(SECOND / 10);
    assertEquals(List.of(100, 0), engine.rates);
    int maintained = engine.maintained;
    writer.writeWaiting();
    stepAfter(100 * SECOND);
    assertEquals(maintained, engine.maintained, "a pause costs nothing");
    reader.askRate(500);
    stepAfter(SECOND / 10);
    assertEquals(List.of(100, 0, 500), engine.rates);
    engine.sample(1, 5);
    stepAfter(3 * SECOND);
    reader.finish();
    write();
    List<PprofRules> profiles = profiles();
    assertEquals(2, profiles.size());
    assertEquals(SECOND / 5, profiles.get(0).durationNanos, "the pause is no part of it");
    assertEquals(3 * SECOND, profiles.get(1).durationNanos);
    assertEquals(2_000_000, profiles.get(1).period);
  }

  @Test
  void theBudgetLowersTheRateAndTheProfileSaysSo() throws Exception {
    reader.start();
    engine.sample(1, 5);
    engine.programNanos = SECOND / 25; // 4 % of a core, budget 1 %
    stepAfter(SECOND);
    assertEquals(22, engine.rates.get(engine.rates.size() - 1));
    reader.finish();
    write();
    PprofRules profile = profiles().get(0);
    assertEquals("22", profile.comment("rate_hz"));
    assertEquals("100", profile.comment("rate_asked_hz"));
    assertEquals("1", profile.comment("rate_changes"));
    assertTrue(profile.comment("budget").contains("1.0% of one core"), profile.comment("budget"));
    assertTrue(logText().contains(Trouble.BUDGET.title()), logText());
  }

  @Test
  void aRateTheKernelRefusesKeepsTheOldOne() throws Exception {
    reader.start();
    engine.rateFails = true;
    reader.askRate(50);
    stepAfter(SECOND / 10);
    assertEquals(100, reader.askedRate());
    assertTrue(logText().contains("perf_event_open(cpu=0) failed: EACCES (13)"), logText());
  }

  @Test
  void aRefusedFirstRateIsTheCallersProblem() {
    engine.rateFails = true;
    EngineException refusal =
        org.junit.jupiter.api.Assertions.assertThrows(EngineException.class, reader::start);
    assertEquals(Trouble.PERF_EVENTS, refusal.trouble());
  }

  @Test
  void emptyWindowsAreNotWritten() throws Exception {
    reader.start();
    stepAfter(11 * SECOND);
    stepAfter(11 * SECOND);
    reader.finish();
    write();
    assertTrue(Files.notExists(directory.resolve("out")));
  }

  @Test
  void aFullDiskCostsOneLineAndTheProfilesWaitInMemory() throws Exception {
    Files.writeString(directory.resolve("out"), "a file in the way");
    reader.start();
    for (int i = 0; i < 3; i++) {
      engine.sample(1, 1);
      stepAfter(11 * SECOND);
      writer.writeWaiting();
    }
    assertEquals(0, writer.filesWritten());
    log.close();
    assertEquals(1, logText().lines().filter(line -> line.contains(" ERROR: ")).count());
    Files.delete(directory.resolve("out")); // the disk comes back
    engine.sample(1, 1);
    stepAfter(11 * SECOND);
    write();
    assertEquals(4, writer.filesWritten());
    assertEquals(0, writer.filesFailed());
  }

  @Test
  void aDiskThatStaysFullCostsTheProfilesAndTheyAreCounted() throws Exception {
    Files.writeString(directory.resolve("out"), "a file in the way");
    reader.start();
    for (int i = 0; i < 3; i++) {
      engine.sample(1, 1);
      stepAfter(11 * SECOND);
      writer.writeWaiting();
    }
    write();
    assertEquals(0, writer.filesWritten());
    assertEquals(3, writer.filesFailed());
  }
}
