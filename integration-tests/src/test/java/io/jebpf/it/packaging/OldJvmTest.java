package io.jebpf.it.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jebpf.it.Beside;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.Locations;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * On a JVM that is too old, the agent says so in one line and the application runs as without it.
 */
@Beside
final class OldJvmTest {
  private static final String LINE =
      "jebpf: not started: it needs Java 22 or newer and this JVM is Java 17; the application runs"
          + " on, unprofiled\n";

  @TempDir Path directory;
  private Path java17;

  @BeforeEach
  void findJava17() {
    Optional<Path> home = Locations.jdk(17);
    assumeTrue(home.isPresent(), "no JDK 17 under /usr/lib/jvm");
    java17 = home.orElseThrow();
  }

  @Test
  void oneLineAndTheApplicationRunsOn() throws IOException {
    ChildResult without = Probe.host(directory, "hello").javaHome(java17).run(20);
    ChildResult with = Probe.host(directory, "hello").javaHome(java17).agent("").run(20);
    assertEquals(7, with.exitCode(), with.toString());
    assertEquals(without.stdout(), with.stdout());
    assertEquals(LINE, with.stderr());
  }

  @Test
  void optionsDoNotMatterToAnOldJvm() throws IOException {
    ChildResult with =
        Probe.host(directory, "hello").javaHome(java17).agent("no-such-option=1").run(20);
    assertEquals(7, with.exitCode(), with.toString());
    assertEquals(LINE, with.stderr());
  }

  @Test
  void theCommandLineSaysWhatItNeedsAndFails() throws Exception {
    Process process =
        new ProcessBuilder(
                java17.resolve("bin/java").toString(),
                "-jar",
                Locations.agentJar().toString(),
                "doctor")
            .start();
    String stderr = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(1, process.waitFor());
    assertEquals(1, stderr.lines().count(), stderr);
    assertTrue(stderr.contains("needs Java 22 or newer and was started with Java 17"), stderr);
    assertEquals(0, process.getInputStream().readAllBytes().length);
  }
}
