package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The kernel's unwinder, compiled for user space with sanitizers, on recorded walks: it gives the
 * recorded frames, and no read that fails makes it crash or run on for ever. New cases come from
 * {@code walker live} with JEBPF_KEEP (see walker.c); {@code walker update} writes what a changed
 * unwinder gives. Each rule of the unwinder (rules.h) can be switched off: JEBPF_RULES records
 * walks that need one. The cases made-* have a JVM's code, but were changed as their first line
 * says.
 */
class WalkerReplayTest {
  private static final int DEADLINE_SECONDS = 120;
  private static final Pattern FAULTS =
      Pattern.compile(": (\\d+) faults injected, (\\d+) other ways to the root");

  @TempDir static Path directory;

  private static Path walker;
  private static List<String> cases;

  private record Outcome(int exitCode, String output) {}

  @BeforeAll
  static void compile() throws Exception {
    Assumptions.assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/gcc")), "skipped: gcc is not installed");
    walker = directory.resolve("walker");
    Outcome compiled =
        run(
            List.of(
                "gcc",
                "-O1",
                "-g",
                "-Wall",
                "-Werror",
                "-fsanitize=address,undefined",
                "-fno-sanitize-recover=undefined",
                "-o",
                walker.toString(),
                "src/test/c/walker.c",
                "-lbpf"));
    assertEquals(0, compiled.exitCode(), compiled.output());
    try (Stream<Path> files = Files.list(Path.of("src/test/resources/unwinder"))) {
      cases = files.map(Path::toString).filter(f -> f.endsWith(".case")).sorted().toList();
    }
    assertTrue(cases.size() >= 20, "cases: " + cases);
  }

  private static Outcome run(List<String> command) throws IOException, InterruptedException {
    Path output = Files.createTempFile(directory, "run", ".out");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("JEBPF_OBJECT", object().toString());
    Process process = builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
    try {
      assertTrue(process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS), "still runs: " + command);
      return new Outcome(process.exitValue(), Files.readString(output));
    } finally {
      process.destroyForcibly();
    }
  }

  private static Path object() {
    return Path.of("target/natives/main/io/jebpf/bpf/jebpf.bpf.o").toAbsolutePath();
  }

  private static Outcome walk(String mode) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(walker.toString(), mode));
    command.addAll(cases);
    return run(command);
  }

  @Test
  void recordedWalksGiveTheirFrames() throws Exception {
    Outcome outcome = walk("replay");
    assertEquals(0, outcome.exitCode(), outcome.output());
    assertEquals(
        cases.size(), outcome.output().lines().filter(line -> line.contains(": end ")).count());
  }

  @Test
  void failingReadsEndTheWalkInOrder() throws Exception {
    Outcome outcome = walk("faults");
    assertEquals(0, outcome.exitCode(), outcome.output());
    int faults = 0;
    int otherWays = 0;
    Matcher matcher = FAULTS.matcher(outcome.output());
    while (matcher.find()) {
      faults += Integer.parseInt(matcher.group(1));
      otherWays += Integer.parseInt(matcher.group(2));
    }
    assertTrue(faults > 50 * cases.size() / 2, outcome.output());
    assertEquals(0, otherWays, outcome.output());
  }

  /** Without any one rule some recorded walk comes out otherwise. */
  @Test
  void eachRuleIsNeeded() throws Exception {
    Outcome outcome = walk("rules");
    assertEquals(0, outcome.exitCode(), outcome.output());
  }
}
