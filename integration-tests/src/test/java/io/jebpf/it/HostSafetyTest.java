package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.harness.RunningJvm;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.workload.BusyLoad;
import io.jebpf.it.workload.HostLoad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The application behaves as without the agent. */
@Beside
@KernelTest
class HostSafetyTest {
  /**
   * SIGRTMAX - 2, libnio's NativeThread: its handler does nothing, and is there in any program that
   * uses NIO.
   */
  private static final long JDK_CHANNEL_WAKEUP = 1L << 61;

  @TempDir Path directory;

  @ParameterizedTest(name = "{0} with code {1}, {2} ms")
  @CsvSource({"return,0,3500", "return,0,0", "exit,3,700", "exit,0,0", "halt,4,700", "throw,1,700"})
  void outputAndExitCodeAreThoseOfTheApplication(String end, int code, int millis) {
    ChildResult without =
        host("without").main(HostLoad.class, end, code, 10).run(Deadlines.RUN_SECONDS);
    ChildResult with =
        host("with")
            .agent("window=1s")
            .main(HostLoad.class, end, code, millis)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(code, without.exitCode(), without::toString);
    assertEquals(code, with.exitCode(), with::toString);
    assertArrayEquals(without.stdoutBytes(), with.stdoutBytes(), with::toString);
    assertEquals(
        without.stderr().lines().toList(), Stderr.application(with.stderr()), with::toString);
    List<String> own = Stderr.own(with.stderr());
    assertTrue(own.size() <= 2, with::toString);
    if (millis >= 3500) {
      assertEquals(2, own.size(), () -> "a normal run has two lines, start and stop: " + with);
      assertTrue(own.get(0).contains("99 Hz") && own.get(1).contains("samples"), with::toString);
    }
  }

  private ChildJvm host(String name) {
    return ChildJvm.in(directory.resolve(name));
  }

  @Test
  void theLastWindowIsWrittenAtExit() {
    ChildResult result =
        host("exit")
            .agent("window=1h")
            .main(HostLoad.class, "exit", 0, 3500)
            .run(Deadlines.RUN_SECONDS);
    Profiles.assertRules(result);
    assertEquals(1, result.profiles().size(), result::toString);
    // Three threads of 1.5 s each at 99 Hz, less what ran before sampling began: on a busy machine
    // much.
    assertTrue(result.picture().samples() > 100, () -> result.picture().troubles());
  }

  @Test
  void noSignalHandlerNoTimerAndOnlyThreadsOfOurName() throws Exception {
    List<Set<String>> threads = new ArrayList<>();
    List<String> signals = new ArrayList<>();
    for (boolean agent : new boolean[] {false, true}) {
      ChildJvm jvm = host("signals-" + agent).jvm("-XX:+UseSerialGC").main(BusyLoad.class, 30);
      try (RunningJvm running = (agent ? jvm.agent("cpu=999,budget=100%") : jvm).start()) {
        running.awaitOutput("ready=1", Deadlines.RUN_SECONDS);
        Path process = Path.of("/proc/" + running.pid());
        signals.add(signals(process));
        assertEquals(
            "", Files.readString(process.resolve("timers")), "POSIX timers of the process");
        threads.add(threadNames(process));
      }
    }
    assertEquals(signals.get(0), signals.get(1), "signals caught and ignored");
    Set<String> more = new TreeSet<>(threads.get(1));
    more.removeAll(threads.get(0));
    more.removeIf(name -> name.startsWith("jebpf-"));
    assertEquals(Set.of(), more, "threads beside ours");
  }

  /**
   * Signals ignored and caught, without the one that the JDK's own channels catch once they are
   * used.
   */
  private static String signals(Path process) throws IOException {
    StringBuilder text = new StringBuilder();
    for (String line : Files.readAllLines(process.resolve("status"))) {
      if (line.matches("Sig(Ign|Cgt):.*")) {
        long mask = Long.parseUnsignedLong(line.substring(7).strip(), 16);
        text.append(line, 0, 7).append(Long.toHexString(mask & ~JDK_CHANNEL_WAKEUP)).append(' ');
      }
    }
    return text.toString();
  }

  private static Set<String> threadNames(Path process) throws IOException {
    Set<String> names = new TreeSet<>();
    try (Stream<Path> tasks = Files.list(process.resolve("task"))) {
      for (Path task : tasks.toList()) {
        names.add(
            Files.readString(task.resolve("comm"))
                .strip()
                .replaceAll("C[12] CompilerThre.*", "compiler"));
      }
    }
    return names;
  }

  @Test
  void noSignalIsDelivered() throws Exception {
    Tools.need("strace");
    Path trace = directory.resolve("trace");
    ChildResult result =
        host("strace")
            .agent("cpu=999,budget=100%")
            .prefix(
                "strace",
                "-f",
                "-qq",
                "-e",
                "trace=none",
                "-e",
                "signal=all",
                "-o",
                trace.toString())
            .main(HostLoad.class, "return", 0, 300)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    List<String> delivered =
        Files.readAllLines(trace).stream()
            // SIGSEGV is the JVM's own: null checks and safepoint polls; the SIGCHLD kind belongs
            // to child processes.
            .filter(
                line ->
                    line.contains("--- SIG")
                        && !line.contains("SIGSEGV")
                        && !line.contains("SIGCHLD"))
            .toList();
    assertEquals(List.of(), delivered);
  }

  @Test
  void afterKillNothingStaysBehind() throws Exception {
    Path temporary = Files.createDirectories(directory.resolve("tmp"));
    ChildJvm jvm =
        host("kill")
            .agent("window=1s,cpu=499")
            .jvm("-Djava.io.tmpdir=" + temporary)
            .main(BusyLoad.class, 60);
    Set<String> held = new TreeSet<>();
    try (RunningJvm running = jvm.start()) {
      running.awaitOutput("ready=1", Deadlines.RUN_SECONDS);
      awaitFiles(jvm.profiles(), 2);
      held.addAll(Tools.bpfObjectsOf(running.pid()));
      assertFalse(held.isEmpty(), "the running agent holds no BPF object");
      running.kill();
      running.await(10);
    }
    Set<String> left = new TreeSet<>(held);
    left.retainAll(Tools.bpfObjects());
    assertEquals(Set.of(), left, "BPF objects that outlive the process");
    for (String object : held) {
      Tools.assertNoBpfObject(directory, object);
    }
    try (Stream<Path> files = Files.list(jvm.profiles())) {
      for (Path file : files.toList()) {
        assertTrue(file.toString().endsWith(".pb.gz"), () -> "unfinished file " + file);
        assertFalse(Profile.read(file).stacks().isEmpty(), () -> "empty profile " + file);
      }
    }
    try (Stream<Path> files = Files.list(temporary)) {
      assertEquals(List.of(), files.toList(), "files left in java.io.tmpdir");
    }
  }

  private static void awaitFiles(Path directory, int count) throws Exception {
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (System.nanoTime() < deadline) {
      if (Files.isDirectory(directory)) {
        try (Stream<Path> files = Files.list(directory)) {
          if (files.filter(file -> file.toString().endsWith(".pb.gz")).count() >= count) {
            return;
          }
        }
      }
      Thread.sleep(50);
    }
    throw new AssertionError("fewer than " + count + " profiles in " + directory);
  }

  @Test
  void javaSeventeenPrintsOneLineAndRunsOn() throws Exception {
    var home = Locations.jdk(17);
    Assumptions.assumeTrue(home.isPresent(), "skipped: no JDK 17 under /usr/lib/jvm");
    Path source = directory.resolve("Hello.java");
    Files.writeString(
        source,
        "class Hello { public static void main(String[] a) { System.out.println(\"hello\");"
            + " System.exit(7); } }");
    ChildResult result =
        host("java17")
            .javaHome(home.get())
            .agent("")
            .program(source.toString())
            .run(Deadlines.RUN_SECONDS);
    assertEquals(7, result.exitCode(), result::toString);
    assertEquals("hello\n", result.stdout());
    assertEquals(1, result.stderr().lines().count(), result::toString);
    assertTrue(result.stderr().contains("17") && result.stderr().contains("22"), result::toString);
  }
}
