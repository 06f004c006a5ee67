package io.jebpf.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.engine.Engine;
import io.jebpf.agent.engine.EngineException;
import io.jebpf.agent.engine.EngineStarter;
import io.jebpf.agent.jmx.LazyRegistration;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.options.Options.LogLevel;
import io.jebpf.agent.options.OptionsBuilder;
import io.jebpf.agent.pipeline.FakeEngine;
import io.jebpf.agent.pprof.PprofRules;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import javax.management.Attribute;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.RuntimeMBeanException;
import javax.management.openmbean.TabularData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The profiler's life with real threads and an engine of the test's own. */
@Timeout(30)
class ProfilerTest {
  @TempDir private Path directory;
  private final FakeEngine engine = new FakeEngine();

  private Profiler profiler(EngineStarter starter) {
    Options options =
        new OptionsBuilder("shop")
            .out(Optional.of(directory.resolve("out")))
            .diskBytes(1 << 20)
            .windowNanos(3_600_000_000_000L)
            .build();
    AgentLog log = AgentLog.toFile(directory.resolve("log"), LogLevel.WARN);
    return new Profiler(options, log, starter, "1.2");
  }

  /** Threads that a profiler started may outlive its run by a moment, and have files open. */
  @AfterEach
  void awaitThreads() throws InterruptedException {
    await(
        () ->
            Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals("jebpf-writer")));
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private List<String> logLines() throws IOException {
    return Files.readAllLines(directory.resolve("log")).stream()
        .map(line -> line.substring(line.indexOf(' ') + 1))
        .toList();
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) { // bounded by the test's timeout
      Thread.sleep(5);
    }
  }

  @Test
  void aNormalRunSaysTwoLinesAndWritesTheLastWindow() throws Exception {
    Profiler profiler = profiler((options, log, cancelled) -> engine);
    Thread thread = AgentThreads.start("reader", profiler::run, Throwable::printStackTrace);
    await(() -> profiler.state() instanceof Profiler.State.Running);
    engine.sample(1, 10_000_000);
    engine.sample(2, 10_000_000);
    profiler.stop();
    thread.join();
    List<String> lines = logLines();
    assertEquals(2, lines.size(), lines.toString());
    assertTrue(lines.get(0).startsWith("jebpf: 1.2 started: Linux 6.1.0-test, JVM "), lines.get(0));
    assertTrue(lines.get(0).endsWith("; missing: kernel symbols"), lines.get(0));
    assertTrue(lines.get(1).startsWith("jebpf: stopped: 2 samples in 1 files ("), lines.get(1));
    assertEquals(List.of(99, 0), engine.rates);
    assertTrue(engine.closed);
    try (Stream<Path> files = Files.list(directory.resolve("out"))) {
      PprofRules read = new PprofRules(Files.readAllBytes(files.findFirst().orElseThrow()));
      assertEquals(List.of(), read.broken);
      assertEquals("2", read.comment("samples_taken"));
    }
    assertInstanceOf(Profiler.State.Stopped.class, profiler.state());
  }

  @Test
  void everyFailureOfTheStartIsOneLineAndTheProfilerIsOff() throws Exception {
    for (Trouble trouble :
        List.of(
            Trouble.NATIVE_LIBRARIES,
            Trouble.NO_BTF,
            Trouble.RIGHTS,
            Trouble.KERNEL_REFUSED,
            Trouble.PERF_EVENTS)) {
      Files.deleteIfExists(directory.resolve("log"));
      Profiler profiler =
          profiler(
              (options, log, cancelled) -> {
                throw new EngineException(trouble, "bpf() failed: EPERM (1)", "Do that", null);
              });
      profiler.run();
      Profiler.State.Off off =
          assertInstanceOf(Profiler.State.Off.class, profiler.state(), trouble.name());
      assertEquals(trouble.title() + ": bpf() failed: EPERM (1)", off.why());
      profiler.stop();
      assertEquals(
          List.of("jebpf: ERROR: " + trouble.title() + ": bpf() failed: EPERM (1). Hint: Do that."),
          logLines());
    }
    assertTrue(Files.notExists(directory.resolve("out")), "nothing is left behind");
  }

  @Test
  void aFirstRateThatIsRefusedClosesTheEngine() throws Exception {
    engine.rateFails = true;
    Profiler profiler = profiler((options, log, cancelled) -> engine);
    profiler.run();
    assertInstanceOf(Profiler.State.Off.class, profiler.state());
    assertTrue(engine.closed);
    assertEquals(1, logLines().size());
  }

  @Test
  void anUnexpectedErrorSwitchesOffAndIsTold() throws Exception {
    engine.drainFails = true;
    Profiler profiler = profiler((options, log, cancelled) -> engine);
    profiler.run();
    assertTrue(engine.closed);
    assertInstanceOf(Profiler.State.Off.class, profiler.state());
    String last = logLines().get(1);
    assertTrue(last.contains(Trouble.READER.title()), last);
    assertTrue(last.contains("injected at io.jebpf.agent.pipeline.FakeEngine.drain"), last);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aJvmThatEndsDuringTheStartDoesNotWaitLong(boolean files) throws Exception {
    CountDownLatch starting = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    Profiler profiler =
        profiler(
            new EngineStarter() {
              @Override
              public Engine start(Options options, AgentLog log, BooleanSupplier cancelled)
                  throws EngineException {
                starting.countDown();
                awaitUninterruptibly(release);
                throw new EngineException(Trouble.READER, "called off");
              }

              @Override
              public boolean hasFilesOnDisk() {
                return files;
              }
            });
    Thread thread = AgentThreads.start("reader", profiler::run, Throwable::printStackTrace);
    starting.await();
    long began = System.nanoTime();
    profiler.stop();
    long millis = (System.nanoTime() - began) / 1_000_000;
    assertTrue(files == millis >= Profiler.CANCEL_MILLIS, millis + " ms, files: " + files);
    release.countDown();
    thread.join();
    assertEquals(List.of("jebpf: stopped before sampling began: the JVM ended"), logLines());
  }

  @Test
  void theMBeanShowsAndSetsWhatItSays() throws Exception {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    ObjectName name = new ObjectName(LazyRegistration.NAME);
    Profiler profiler = profiler((options, log, cancelled) -> engine);
    Thread thread = AgentThreads.start("reader", profiler::run, Throwable::printStackTrace);
    await(() -> server.isRegistered(name));
    await(() -> profiler.state() instanceof Profiler.State.Running);
    assertEquals("RUNNING", server.getAttribute(name, "State"));
    assertEquals("1.2", server.getAttribute(name, "Version"));
    assertEquals(99, server.getAttribute(name, "CpuHz"));
    assertTrue(server.getAttribute(name, "Options").toString().startsWith("service=shop,out="));
    for (MBeanAttributeInfo attribute : server.getMBeanInfo(name).getAttributes()) {
      assertFalse(attribute.getDescription().isEmpty(), attribute.getName());
      assertFalse(attribute.getDescription().equals(attribute.getName()), attribute.getName());
      server.getAttribute(name, attribute.getName());
    }
    TabularData missing = (TabularData) server.getAttribute(name, "Missing");
    assertEquals(1, missing.size());
    assertTrue(missing.containsKey(new Object[] {"KERNEL_SYMBOLS"}), missing.toString());
    engine.sample(1, 5);
    engine.ringFull = 3;
    await(() -> attribute(server, name, "SamplesTaken").equals(1L));
    TabularData lost = (TabularData) server.getAttribute(name, "SamplesLost");
    assertEquals(3L, lost.get(new Object[] {"ring_full"}).get("value"));
    TabularData walks = (TabularData) server.getAttribute(name, "WalksByEnd");
    assertEquals(1L, walks.get(new Object[] {"root"}).get("value"));
    server.setAttribute(name, new Attribute("CpuHz", 0));
    await(() -> engine.rates.equals(List.of(99, 0)));
    assertEquals("PAUSED", server.getAttribute(name, "State"));
    server.setAttribute(name, new Attribute("CpuHz", 49));
    await(() -> engine.rates.equals(List.of(99, 0, 49)));
    RuntimeMBeanException refusal =
        org.junit.jupiter.api.Assertions.assertThrows(
            RuntimeMBeanException.class,
            () -> server.setAttribute(name, new Attribute("CpuHz", -1)));
    assertEquals("CpuHz -1 is not valid; valid are 0 to 10000", refusal.getCause().getMessage());
    profiler.stop();
    thread.join();
    assertFalse(server.isRegistered(name));
  }

  private static Object attribute(MBeanServer server, ObjectName name, String attribute) {
    try {
      return server.getAttribute(name, attribute);
    } catch (javax.management.JMException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void threadsAreDaemonsWithOurNameAndLoader() throws Exception {
    Thread thread = AgentThreads.create("x", () -> {}, Throwable::printStackTrace);
    assertTrue(thread.isDaemon());
    assertEquals("jebpf-x", thread.getName());
    assertEquals(Profiler.class.getClassLoader(), thread.getContextClassLoader());
  }
}
