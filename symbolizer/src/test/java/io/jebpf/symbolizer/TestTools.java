package io.jebpf.symbolizer;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Programs of binutils and gcc that tests compare with, and files of this machine. */
public final class TestTools {
  private TestTools() {}

  /** Skips the test where a program is missing. */
  public static void need(String program) {
    boolean there =
        Stream.of(System.getenv("PATH").split(":"))
            .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
    assumeTrue(there, program + " is not installed");
  }

  /** Runs a program and hands over its output line by line; fails unless it exits with 0 or 1. */
  public static void lines(Consumer<String> consumer, String... command)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    process.getOutputStream().close();
    try (BufferedReader reader = process.inputReader(StandardCharsets.ISO_8859_1)) {
      reader.lines().forEach(consumer);
    }
    // readelf exits with 1 for sections it would have liked to be there.
    assertTrue(process.waitFor() <= 1, () -> List.of(command) + " failed");
  }

  /** libjvm.so of the JVM that runs the test. */
  public static Path libjvm() {
    return Path.of(System.getProperty("java.home"), "lib/server/libjvm.so");
  }

  /** A library that this process has mapped or that is installed, by the start of its name. */
  public static Path library(String name) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
      int slash = line.indexOf('/');
      if (slash > 0 && line.substring(line.lastIndexOf('/') + 1).startsWith(name)) {
        return Path.of(line.substring(slash));
      }
    }
    for (String directory : List.of("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib")) {
      if (Files.isDirectory(Path.of(directory))) {
        try (Stream<Path> files = Files.list(Path.of(directory))) {
          Optional<Path> found =
              files.filter(f -> f.getFileName().toString().startsWith(name)).sorted().findFirst();
          if (found.isPresent()) {
            return found.get();
          }
        }
      }
    }
    return Path.of("/no/" + name);
  }
}
