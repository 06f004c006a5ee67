package io.jebpf.symbolizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Builds small objects with gcc and binutils for tests. */
public final class Compiled {
  private Compiled() {}

  /** Compiles a source ({@code name} ends in .c or .s) to a shared library beside it. */
  public static Path library(Path directory, String name, String source, String... options)
      throws IOException, InterruptedException {
    TestTools.need("gcc");
    Path file = Files.writeString(directory.resolve(name), source);
    Path result = directory.resolve("lib" + name.substring(0, name.lastIndexOf('.')) + ".so");
    List<String> command = new ArrayList<>(List.of("gcc", "-shared", "-fPIC", "-O1"));
    command.addAll(List.of(options));
    command.addAll(List.of("-o", result.toString(), file.toString()));
    run(command.toArray(String[]::new));
    return result;
  }

  /** Runs a tool; fails with its output unless it exits with 0. */
  public static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes());
    assertEquals(0, process.waitFor(), () -> List.of(command) + ": " + output);
  }
}
