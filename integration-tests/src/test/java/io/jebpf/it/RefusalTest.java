package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.parallel.ExecutionMode.CONCURRENT;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.pprof.Picture;
import io.jebpf.it.workload.BusyLoad;
import io.jebpf.it.workload.HostLoad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the machine refuses: one line that says what, why and what to do; the application runs on.
 */
@Beside
@KernelTest
class RefusalTest {
  @TempDir Path directory;

  @Execution(CONCURRENT)
  @Test
  void withoutAnyCapability() {
    ChildResult result =
        run("window=1s", "setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs");
    assertOneLine(result, List.of("CAP_BPF"));
  }

  @Execution(CONCURRENT)
  @Test
  void asAnotherUser() throws IOException {
    Path open = Files.createTempDirectory(Path.of("/tmp"), "jebpf-it-open");
    try {
      Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
      Path jar = Files.copy(Locations.agentJar(), open.resolve("jebpf.jar"));
      copyClasses(open.resolve("classes"));
      ChildResult result =
          ChildJvm.in(Files.createDirectories(open.resolve("run")))
              .agentJar(jar)
              .agent("window=1s")
              .quick()
              .classPath(open.resolve("classes").toString())
              .prefix("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
              .main(HostLoad.class, "return", 0, 3_500, "stderr", "Hint: ")
              .run(Deadlines.RUN_SECONDS);
      assertEquals(0, result.exitCode(), result::toString);
      assertOneLine(result, List.of("CAP_BPF"));
    } finally {
      delete(open);
    }
  }

  private static void copyClasses(Path target) throws IOException {
    Path classes = Locations.classes();
    try (Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.toList()) {
        Files.copy(file, target.resolve(classes.relativize(file).toString()));
      }
    }
  }

  private static void delete(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @ValueSource(strings = {"bpf", "perf_event_open", "process_vm_readv"})
  void seccompRefuses(String call) throws Exception {
    Path refuse = Tools.compile(directory, "refuse.c", "refuse");
    ChildResult result = run("window=1s", refuse.toString(), call, "--");
    assertOneLine(result, List.of(call, "seccomp"));
  }

  @Execution(CONCURRENT)
  @Test
  void fullDisk() {
    ChildResult result =
        run("window=1s,out=" + directory.resolve("small/out"), mounted("size=4k", "small"));
    assertOneLine(result, List.of("small", "out"));
  }

  @Execution(CONCURRENT)
  @Test
  void readOnlyOut() {
    ChildResult result =
        run("window=1s,out=" + directory.resolve("fixed/out"), mounted("ro", "fixed"));
    assertOneLine(result, List.of("fixed/out", "out"));
  }

  @Execution(CONCURRENT)
  @Test
  void noexecNativeDirectoryIsTriedElsewhere() {
    ChildResult result =
        run(
            "window=1s,native.dir=" + directory.resolve("plain"),
            List.of("stderr", " started: "),
            mounted("noexec", "plain"));
    List<String> own = Stderr.own(result.stderr());
    assertTrue(own.size() <= 3, result::toString);
    assertTrue(
        own.stream().anyMatch(line -> line.contains("noexec") && line.contains("native.dir")),
        result::toString);
    Profiles.assertRules(result);
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @ValueSource(strings = {"cpu=fast", "colour=red", "window=0s", "cpu"})
  void badOptions(String options) {
    ChildResult result = run(options);
    assertOneLine(result, List.of(options.replaceAll("=.*", "")));
    assertTrue(result.profileFiles().isEmpty(), result::toString);
  }

  /** A tmpfs in a mount namespace of the child's own: it goes with the child. */
  private String[] mounted(String options, String name) {
    Path target = directory.resolve(name);
    return new String[] {
      "unshare",
      "-m",
      "sh",
      "-c",
      "mkdir -p "
          + target
          + " && mount -t tmpfs -o "
          + options
          + " tmpfs "
          + target
          + " && exec \"$@\"",
      "sh"
    };
  }

  /** What is refused is said within seconds, and the child ends soon after. */
  private ChildResult run(String options, String... prefix) {
    return run(options, List.of("stderr", "Hint: "), prefix);
  }

  private ChildResult run(String options, List<String> until, String... prefix) {
    List<Object> arguments = new ArrayList<>(List.of("return", 0, 3_500));
    arguments.addAll(until);
    ChildResult without =
        ChildJvm.in(directory.resolve("without"))
            .quick()
            .main(HostLoad.class, "return", 0, 10)
            .run(Deadlines.RUN_SECONDS);
    ChildResult with =
        ChildJvm.in(directory.resolve("with"))
            .agent(options)
            .quick()
            .prefix(prefix)
            .main(HostLoad.class, arguments.toArray()) // about 5 s, a start takes 2 to 3
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, with.exitCode(), with::toString);
    assertArrayEquals(without.stdoutBytes(), with.stdoutBytes(), with::toString);
    assertEquals(
        without.stderr().lines().toList(), Stderr.application(with.stderr()), with::toString);
    return with;
  }

  /**
   * One line about the trouble, with what to do; beside it at most the start line, the stop line,
   * and one that says how often it came again.
   */
  private static void assertOneLine(ChildResult result, List<String> contains) {
    List<String> own = Stderr.own(result.stderr());
    List<String> hints = own.stream().filter(line -> line.contains("Hint: ")).toList();
    assertEquals(1, hints.size(), () -> "one line that says what to do: " + result);
    for (String text : contains) {
      assertTrue(hints.get(0).contains(text), () -> "not about " + text + ": " + result);
    }
    assertTrue(own.size() <= 4, result::toString);
    assertEquals(
        List.of(),
        Stderr.application(result.stderr()).stream().filter(l -> l.startsWith("\tat ")).toList());
  }

  @Execution(CONCURRENT)
  @Test
  void pidNamespace() {
    ChildResult result =
        ChildJvm.in(directory)
            .agent("cpu=499,budget=100%,window=2s")
            .quick()
            .prefix("unshare", "-pf", "--mount-proc")
            .main(BusyLoad.class, 3)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Profiles.assertRules(result);
    Picture picture = result.picture();
    Picture busy = picture.where(stack -> stack.contains(BusyLoad.class.getName() + ".busy"));
    assertTrue(busy.samples() > 1_000, picture::troubles);
    // The JVM renames the thread when main returns; a window that has just begun has only that
    // name.
    Set<String> names = Set.of("main", "DestroyJavaVM");
    assertTrue(busy.share(stack -> names.contains(stack.thread())) > 0.99, picture::troubles);
    assertTrue(picture.rootShare() >= 0.99, picture::troubles);
  }
}
