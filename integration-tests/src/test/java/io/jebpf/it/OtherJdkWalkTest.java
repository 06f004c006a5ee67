package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.Locations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The kernel's unwinder, compiled for user space, on JVMs in which the agent cannot run, or of
 * which the distribution has none: from outside, with tables made from what the JVM says of itself.
 * The thread is stopped, goes on instruction by instruction, and is walked at each.
 */
@Beside
class OtherJdkWalkTest {
  private static final String LOAD = "io/jebpf/it/matrix";
  private static final List<String> LOADS = List.of("Mixed", "Throw", "Dispatch", "Handles");
  private static final int STOPS = 25;
  private static final int STEPS = 60;
  private static final double ROOT_MIN = 0.999;
  private static final int THREAD_TRIES = 600;
  private static final int TRY_MILLIS = 50;
  private static final int WARM_MILLIS = 1_000;
  private static final Pattern OUTCOME =
      Pattern.compile("walks (\\d+) contradictions (\\d+) gaps (\\d+)(?:.*? root (\\d+))?.*");

  @TempDir static Path directory;
  private static Path walker;
  private static Path classes;

  @BeforeAll
  static void compile() throws Exception {
    Tools.need("gcc");
    walker = directory.resolve("walker");
    Tools.Outcome compiled =
        Tools.run(
            directory,
            "gcc",
            "-O2",
            "-w",
            "-o",
            walker.toString(),
            Locations.module().resolveSibling("bpf").resolve("src/test/c/walker.c").toString(),
            "-lbpf");
    assertEquals(0, compiled.exitCode(), compiled.output());

    classes = directory.resolve("classes");
    Path sources = Locations.module().resolve("src/main/java");
    List<String> arguments = new ArrayList<>(List.of("--release", "17", "-nowarn"));
    arguments.addAll(List.of("-Xlint:-options", "-sourcepath", sources.toString()));
    arguments.addAll(List.of("-cp", classes.toString(), "-d", classes.toString()));
    arguments.add(sources.resolve(LOAD).resolve("MatrixLoad.java").toString());
    for (String load : LOADS) {
      arguments.add(sources.resolve(LOAD).resolve(load + "Load.java").toString());
    }
    int status =
        ToolProvider.getSystemJavaCompiler()
            .run(null, null, null, arguments.toArray(String[]::new));
    assertEquals(0, status, "javac of the loads");
  }

  @ParameterizedTest(name = "JDK {0} {1} {2}")
  @CsvSource({
    "17,mixed,-XX:+UseG1GC",
    "17,throw,-Xint",
    "17,dispatch,-XX:TieredStopAtLevel=1",
    "21,mixed,-XX:+UseG1GC",
    "28,mixed,-XX:+UseG1GC",
  })
  void everyInstructionHasAWholeStack(int release, String load, String flag) throws Exception {
    Path home = OtherJdks.require(release);
    Process jvm =
        new ProcessBuilder(
                home.resolve("bin/java").toString(),
                "-Xmx256m",
                "-Xlog:disable",
                flag,
                "-cp",
                classes.toString(),
                (LOAD + "/MatrixLoad").replace('/', '.'),
                "600000",
                "none",
                load)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("jvm.out").toFile())
            .start();
    try {
      String thread = thread(jvm, load);
      Thread.sleep(WARM_MILLIS);
      Path image = directory.resolve("image");
      describe(jvm.pid(), image);
      Matcher outcome = walk(image, thread);
      System.err.printf("JDK %d %s %s: %s%n", release, load, flag, outcome.group());
      long walks = Long.parseLong(outcome.group(1));
      assertEquals(STOPS * (STEPS + 1L), walks);
      assertEquals("0", outcome.group(2), outcome::group);
      assertTrue(Long.parseLong(outcome.group(4)) >= ROOT_MIN * walks, outcome::group);
    } finally {
      jvm.destroyForcibly().waitFor();
    }
  }

  /** Id of the thread that is named as its load. */
  private static String thread(Process jvm, String name) throws Exception {
    for (int i = 0; i < THREAD_TRIES && jvm.isAlive(); i++) {
      try (Stream<Path> threads = Files.list(Path.of("/proc/" + jvm.pid() + "/task"))) {
        for (Path thread : threads.toList()) {
          if (Files.readString(thread.resolve("comm")).strip().equals(name)) {
            return thread.getFileName().toString();
          }
        }
      } catch (IOException | java.io.UncheckedIOException gone) {
        // a thread ended meanwhile
      }
      Thread.sleep(TRY_MILLIS);
    }
    throw new AssertionError(
        "no thread " + name + ": " + Files.readString(directory.resolve("jvm.out")));
  }

  /** What user space tells the kernel, as a file for the walker. */
  private static void describe(long pid, Path image) throws Exception {
    Path symbolizer = Locations.module().resolveSibling("symbolizer").resolve("target");
    Tools.Outcome outcome =
        Tools.run(
            directory,
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "-cp",
            symbolizer.resolve("classes") + ":" + symbolizer.resolve("test-classes"),
            "io.jebpf.symbolizer.unwinder.KernelImage",
            Long.toString(pid),
            image.toString());
    assertEquals(0, outcome.exitCode(), outcome.output());
  }

  private static Matcher walk(Path image, String thread) throws Exception {
    Path object = Locations.module().resolveSibling("bpf").resolve("target/natives/main");
    Tools.Outcome outcome =
        Tools.run(
            directory,
            "env",
            "JEBPF_PRINT=1",
            "JEBPF_OBJECT=" + object.resolve("io/jebpf/bpf/jebpf.bpf.o"),
            walker.toString(),
            "live",
            image.toString(),
            thread,
            Integer.toString(STOPS),
            Integer.toString(STEPS),
            directory.toString());
    assertEquals(0, outcome.exitCode(), outcome.output());
    Matcher matcher = OUTCOME.matcher(outcome.output());
    assertTrue(matcher.find(), outcome.output());
    return matcher;
  }
}
