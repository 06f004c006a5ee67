package io.jebpf.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.options.OptionParser;
import io.jebpf.agent.options.OptionSources;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.options.Options.LogLevel;
import io.jebpf.agent.options.ParsedOptions;
import io.jebpf.agent.pipeline.FakeEngine;
import io.jebpf.agent.pprof.PprofRules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The last seconds are written by themselves. Each trigger is really pulled. */
@Timeout(60)
class DumpTest {
  private static final long MILLI = 1_000_000L;
  private static byte[] sink = {};
  @TempDir private Path directory;
  private volatile long errors;
  private final FakeEngine engine =
      new FakeEngine() {
        @Override
        public OptionalLong outOfMemoryErrors() {
          return OptionalLong.of(errors);
        }
      };
  private Profiler profiler;
  private Thread thread;

  private Path out() {
    return directory.resolve("out");
  }

  private void start(String more) throws Exception {
    ParsedOptions parsed =
        OptionParser.parse(OptionSources.ofThisProcess("window=1h,out=" + out() + "," + more));
    Options options = ((ParsedOptions.Accepted) parsed).options();
    AgentLog log = AgentLog.toFile(directory.resolve("log"), LogLevel.DEBUG);
    profiler = new Profiler(options, log, (o, l, cancelled) -> engine, "1.2");
    thread = AgentThreads.start("reader", profiler::run, Throwable::printStackTrace);
    while (!(profiler.state() instanceof Profiler.State.Running)) {
      Thread.sleep(5);
    }
    engine.sampleNow(3, MILLI);
  }

  @AfterEach
  void stop() throws Exception {
    profiler.stop();
    thread.join();
  }

  private List<Path> dumps() throws IOException {
    if (!Files.isDirectory(out())) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(out())) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("dump-"))
          .sorted()
          .toList();
    }
  }

  private List<Path> awaitDumps(int count) throws Exception {
    List<Path> dumps = dumps();
    while (dumps.size() < count) { // bounded by the test's timeout
      Thread.sleep(20);
      dumps = dumps();
    }
    return dumps;
  }

  private static void assertDump(Path file, String why) throws IOException {
    assertTrue(file.getFileName().toString().startsWith("dump-" + why + "-cpu-"), file.toString());
    PprofRules profile = new PprofRules(Files.readAllBytes(file));
    assertEquals(List.of(), profile.broken);
    assertEquals(1, profile.samples.size());
  }

  @Test
  void aFileAsksForOneAndIsTakenAway() throws Exception {
    start("dump.on=file");
    Files.createDirectories(out());
    Files.createFile(out().resolve("dump"));
    List<Path> dumps = awaitDumps(2);
    assertDump(dumps.get(0), "file");
    assertTrue(dumps.get(1).getFileName().toString().startsWith("dump-file-offcpu-"));
    assertFalse(Files.exists(out().resolve("dump")));
  }

  @Test
  void theEndOfTheJvmAsksForOne() throws Exception {
    start("dump.on=exit");
    profiler.stop();
    thread.join();
    assertDump(awaitDumps(2).get(0), "exit");
  }

  @Test
  void anOutOfMemoryErrorAsksForOne() throws Exception {
    errors = 7;
    start("dump.on=oom");
    Thread.sleep(2500); // errors of before are none of ours
    assertEquals(List.of(), dumps());
    errors = 8;
    assertDump(awaitDumps(2).get(0), "oom");
  }

  @Test
  void cpuAboveALevelAsksForOneAndOnlyOne() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    Thread burner =
        new Thread(
            () -> {
              while (!done.get()) {
                Thread.onSpinWait();
              }
            });
    start("dump.on=off,dump.cpu=10%/1s");
    burner.start();
    try {
      assertDump(awaitDumps(2).get(0), "cpu");
      Thread.sleep(2500);
      assertEquals(2, dumps().size(), "it stays above: that is one event");
    } finally {
      done.set(true);
      burner.join();
    }
  }

  @Test
  void aPauseOfTheCollectorAsksForOne() throws Exception {
    start("dump.on=off,dump.gc=1ms");
    while (dumps().size() < 2) { // bounded by the test's timeout
      sink = new byte[1 << 20];
      System.gc();
      Thread.sleep(100);
    }
    assertDump(dumps().get(0), "gc");
  }

  @Test
  void soManyAnHourAndNotMore() throws Exception {
    start("dump.hourly=1");
    Files.createDirectories(out());
    Files.createFile(out().resolve("dump"));
    awaitDumps(2);
    Files.createFile(out().resolve("dump"));
    while (Files.exists(out().resolve("dump"))) {
      Thread.sleep(20);
    }
    Thread.sleep(500);
    assertEquals(2, dumps().size());
  }

  @Test
  void levelsAreWrittenAsInTheManual() {
    for (String wrong :
        List.of(
            "dump.cpu=150",
            "dump.cpu=150%",
            "dump.cpu=x:150%/10s",
            "dump.cpu=1%/0s",
            "dump.offcpu=80%/10s",
            "dump.on=never",
            "dump.on=file;;exit")) {
      ParsedOptions parsed = OptionParser.parse(OptionSources.ofThisProcess(wrong));
      assertTrue(parsed instanceof ParsedOptions.Refused, wrong);
    }
    profilerForTheEnd();
  }

  private void profilerForTheEnd() {
    AgentLog log = AgentLog.toFile(directory.resolve("log"), LogLevel.ERROR);
    Options options = new io.jebpf.agent.options.OptionsBuilder("x").build();
    profiler = new Profiler(options, log, (o, l, cancelled) -> engine, "1.2");
    thread = new Thread(() -> {});
  }
}
