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

/** Child.java, or another program of the test resources, under some JDK with some options. */
final class ChildJvm implements AutoCloseable {
  private static final int LINES_MAX = 100;

  private final Process process;
  private final BufferedReader out;
  private final Path source;

  private ChildJvm(Process process, Path source) {
    this.process = process;
    this.source = source;
    this.out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  static ChildJvm start(Path javaHome, int workMillis, String... options) throws IOException {
    return start("Child.java", javaHome, workMillis, options);
  }

  static ChildJvm start(String program, Path javaHome, int workMillis, String... options)
      throws IOException {
    Path directory = Files.createTempDirectory("jebpf-child");
    Path source = directory.resolve(program);
    try (InputStream in = ChildJvm.class.getResourceAsStream(program)) {
      Files.write(source, in.readAllBytes());
    }
    List<String> command = new ArrayList<>();
    command.add(javaHome.resolve("bin/java").toString());
    command.add("-Xlog:disable"); // warnings of the JVM go to stdout
    command.addAll(List.of(options));
    command.addAll(List.of(source.toString(), Integer.toString(workMillis)));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    ChildJvm child = new ChildJvm(process, source);
    child.expect("ready");
    return child;
  }

  /** Home of an installed JDK of that feature release. */
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
    return Optional.empty();
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
      Files.deleteIfExists(source);
      Files.deleteIfExists(source.getParent());
    }
  }
}
