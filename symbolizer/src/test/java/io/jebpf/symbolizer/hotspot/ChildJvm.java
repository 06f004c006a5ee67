package io.jebpf.symbolizer.hotspot;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.tools.ToolProvider;

/** Child.java, or another program of the test resources, under some JDK with some options. */
final class ChildJvm implements AutoCloseable {
  private static final int LINES_MAX = 100;

  private final Process process;
  private final BufferedReader out;

  private ChildJvm(Process process) {
    this.process = process;
    this.out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  static ChildJvm start(Path javaHome, int workMillis, String... options) throws IOException {
    return start("Child", javaHome, workMillis, options);
  }

  /** Runs the compiled program. */
  static ChildJvm start(String program, Path javaHome, int workMillis, String... options)
      throws IOException {
    List<String> words = List.of("-cp", Programs.classes().toString(), program);
    return launch(javaHome, workMillis, words, options);
  }

  /** Runs the program from source: the child's own compiler is a large mixed load. */
  static ChildJvm startFromSource(Path javaHome, int workMillis, String... options)
      throws IOException {
    String source = Programs.classes().resolve("Child.java").toString();
    return launch(javaHome, workMillis, List.of(source), options);
  }

  private static ChildJvm launch(
      Path javaHome, int workMillis, List<String> program, String... options) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(javaHome.resolve("bin/java").toString());
    command.add("-Xlog:disable"); // warnings of the JVM go to stdout
    command.addAll(List.of(options));
    command.addAll(program);
    command.add(Integer.toString(workMillis));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    ChildJvm child = new ChildJvm(process);
    child.expect("ready");
    return child;
  }

  /** The programs, unpacked and compiled once for every release they run on. */
  private static final class Programs {
    private static final List<String> SOURCES = List.of("Child.java", "Churn.java");
    private static Path classes;

    static synchronized Path classes() throws IOException {
      if (classes == null) {
        Path directory = Path.of("target", "child-jvms").toAbsolutePath();
        Files.createDirectories(directory);
        List<String> arguments = new ArrayList<>(List.of("--release", "17", "-Xlint:-options"));
        arguments.addAll(List.of("-d", directory.toString()));
        for (String source : SOURCES) {
          try (InputStream in = ChildJvm.class.getResourceAsStream(source)) {
            Files.write(directory.resolve(source), in.readAllBytes());
          }
          arguments.add(directory.resolve(source).toString());
        }
        int status =
            ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, arguments.toArray(String[]::new));
        if (status != 0) {
          throw new IOException("javac ended with " + status);
        }
        classes = directory;
      }
      return classes;
    }
  }

  /**
   * Home of a JDK of that feature release: an installed one, or one that build/fetch-jdks.sh has
   * unpacked.
   */
  static Optional<Path> jdk(int release) throws IOException {
    if (Runtime.version().feature() == release) {
      return Optional.of(Path.of(System.getProperty("java.home")));
    }
    try (Stream<Path> homes = Files.list(Path.of("/usr/lib/jvm"))) {
      for (Path home : homes.toList()) {
        Path file = home.resolve("release");
        if (Files.isReadable(file)
            && Files.readString(file).contains("JAVA_VERSION=\"" + release + ".")
            && Files.isExecutable(home.resolve("bin/javac"))) {
          return Optional.of(home);
        }
      }
    }
    String cache = System.getenv("JEBPF_JDKS");
    Path fetched =
        (cache == null
                ? Path.of(System.getProperty("user.home"), ".cache", "jebpf", "jdks")
                : Path.of(cache))
            .resolve(Integer.toString(release));
    return Files.isExecutable(fetched.resolve("bin/java"))
        ? Optional.of(fetched)
        : Optional.empty();
  }

  long pid() {
    return process.pid();
  }

  void rename(String name) throws IOException {
    process.getOutputStream().write((name + "\n").getBytes(StandardCharsets.ISO_8859_1));
    process.getOutputStream().flush();
    expect("done");
  }

  private void expect(String wanted) throws IOException {
    for (int i = 0; i < LINES_MAX; i++) { // a JVM in trouble says so on stdout
      String line = out.readLine();
      if (wanted.equals(line)) {
        return;
      }
      if (line == null) {
        break;
      }
    }
    close();
    throw new IOException("the child did not say '" + wanted + "'");
  }

  @Override
  public void close() throws IOException {
    try {
      process.getOutputStream().close();
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      process.destroyForcibly();
    }
  }
}
