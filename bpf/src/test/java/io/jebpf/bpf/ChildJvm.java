package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a main class of the tests in a JVM of its own, perhaps below another command. */
record ChildJvm(int exit, String out, String err) {
  private static final int SECONDS_MAX = 60;

  /** {@code prefix} ends with the command's options; "java" and its arguments follow. */
  static ChildJvm run(List<String> prefix, Class<?> main, String... arguments) {
    List<String> command = new ArrayList<>(prefix);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx64m", "-cp"));
    command.add(location(main) + File.pathSeparator + location(NativeRuntime.class));
    command.add(main.getName());
    command.addAll(List.of(arguments));
    return run(command);
  }

  /** The child's main class gets our two class folders; it can not use JUnit. */
  private static String location(Class<?> of) {
    return Path.of(URI.create(of.getProtectionDomain().getCodeSource().getLocation().toString()))
        .toString();
  }

  static ChildJvm run(List<String> command) {
    try {
      Path out = Files.createTempFile("jebpf-child", ".out");
      Path err = Files.createTempFile("jebpf-child", ".err");
      try {
        Process process =
            new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        process.getOutputStream().close();
        if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
          process.destroyForcibly();
          throw new AssertionError("still running after " + SECONDS_MAX + " s: " + command);
        }
        return new ChildJvm(process.exitValue(), text(out), text(err));
      } finally {
        Files.delete(out);
        Files.delete(err);
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  private static String text(Path file) throws IOException {
    return Files.readString(file, StandardCharsets.UTF_8);
  }

  /** Fails unless the JVM ended well and wrote nothing to stderr. */
  ChildJvm clean() {
    assertTrue(exit == 0 && err.isEmpty(), this::toString);
    return this;
  }
}
