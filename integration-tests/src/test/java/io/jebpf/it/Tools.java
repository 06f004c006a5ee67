package io.jebpf.it;

import io.jebpf.it.harness.Locations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** Programs of the machine that the tests use. */
final class Tools {
  private static final int DEADLINE_SECONDS = 60;

  // The kernel frees BPF objects a little after their last user is gone (RCU).
  private static final int FREED_TRIES = 50;
  private static final int FREED_MILLIS = 100;
  private static final Pattern BPF_ID =
      Pattern.compile("^(prog|map|link)_id:\\s*(\\d+)", Pattern.MULTILINE);

  private Tools() {}

  record Outcome(int exitCode, String output) {}

  /** Runs a command, stdout and stderr together. */
  static Outcome run(Path directory, String... command) throws IOException, InterruptedException {
    Path output = Files.createTempFile(directory, "tool", ".out");
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
        throw new IllegalStateException("still running: " + List.of(command));
      }
      return new Outcome(process.exitValue(), Files.readString(output));
    } finally {
      process.destroyForcibly();
    }
  }

  /** Skips the test when a program is not installed. */
  static void need(String program) {
    boolean found =
        Stream.of(System.getenv("PATH").split(":"))
            .anyMatch(dir -> Files.isExecutable(Path.of(dir, program)));
    Assumptions.assumeTrue(found, "skipped: " + program + " is not installed");
  }

  /** Compiles a C file of src/main/native; skips the test when there is no compiler. */
  static Path compile(Path directory, String source, String target, String... flags)
      throws Exception {
    need("gcc");
    Path result = directory.resolve(target);
    List<String> command = new ArrayList<>(List.of("gcc", "-O2", "-Wall", "-Wextra", "-Werror"));
    command.addAll(List.of(flags));
    command.addAll(
        List.of(
            "-o",
            result.toString(),
            Locations.module().resolve("src/main/native").resolve(source).toString()));
    Outcome outcome = run(directory, command.toArray(String[]::new));
    if (outcome.exitCode() != 0) {
      throw new IllegalStateException(command + ": " + outcome.output());
    }
    return result;
  }

  static Path jniLibrary(Path directory) throws Exception {
    return jniLibrary(directory, "itests");
  }

  static Path matrixLibrary(Path directory) throws Exception {
    return jniLibrary(directory, "matrix");
  }

  private static Path jniLibrary(Path directory, String name) throws Exception {
    String include = System.getProperty("java.home") + "/include";
    return compile(
        directory,
        name + ".c",
        "lib" + name + ".so",
        "-fomit-frame-pointer",
        "-shared",
        "-fPIC",
        "-I" + include,
        "-I" + include + "/linux");
  }

  /** Every BPF object that some process holds open, from /proc/PID/fdinfo: needs no bpftool. */
  static Set<String> bpfObjects() throws IOException {
    Set<String> objects = new TreeSet<>();
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      for (Path process :
          processes.filter(p -> p.getFileName().toString().matches("\\d+")).toList()) {
        addBpfObjects(process.resolve("fdinfo"), objects);
      }
    }
    return objects;
  }

  /** The BPF objects that one process holds open. */
  static Set<String> bpfObjectsOf(long pid) {
    Set<String> objects = new TreeSet<>();
    addBpfObjects(Path.of("/proc/" + pid + "/fdinfo"), objects);
    return objects;
  }

  /**
   * The kernel itself no longer knows an object, such as "prog 12"; not asked where bpftool is
   * missing.
   */
  static void assertNoBpfObject(Path directory, String object)
      throws IOException, InterruptedException {
    if (!Files.isExecutable(Path.of("/usr/sbin/bpftool"))) {
      return;
    }
    String[] kindAndId = object.split(" ");
    Outcome outcome = new Outcome(0, "");
    for (int i = 0; i < FREED_TRIES && outcome.exitCode() == 0; i++) {
      Thread.sleep(FREED_MILLIS);
      outcome = run(directory, "/usr/sbin/bpftool", kindAndId[0], "show", "id", kindAndId[1]);
    }
    if (outcome.exitCode() == 0) {
      throw new AssertionError(object + " outlives the process: " + outcome.output());
    }
  }

  private static void addBpfObjects(Path directory, Set<String> into) {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Matcher matcher = BPF_ID.matcher(Files.readString(file));
        while (matcher.find()) {
          into.add(matcher.group(1) + " " + matcher.group(2));
        }
      }
    } catch (IOException | java.io.UncheckedIOException e) {
      return; // the process or the descriptor is gone
    }
  }
}
