package io.jebpf.it.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.Beside;
import io.jebpf.it.KernelTest;
import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.RunningJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The real agent where the JVM has few modules: it samples, and stderr has no more than its two
 * lines.
 */
@Beside
@KernelTest
final class ModulesTest {
  private static final int DEADLINE_SECONDS = 60;

  @TempDir Path directory;

  @Test
  void withLimitedModules() throws Exception {
    samples(child().jvm("--limit-modules", "java.base"));
  }

  @Test
  void inAnImageThatJlinkMade() throws Exception {
    Path image = directory.resolve("image");
    int exit =
        ToolProvider.findFirst("jlink")
            .orElseThrow()
            .run(
                System.out,
                System.err,
                "--add-modules",
                "java.base,java.instrument",
                "--output",
                image.toString());
    assertEquals(0, exit, "jlink");
    samples(child().javaHome(image));
  }

  @Test
  void withNativeAccessDeniedToOthers() throws Exception {
    samples(child().jvm("--illegal-native-access=deny"));
  }

  private ChildJvm child() throws IOException {
    return Probe.host(directory, "burn").agent("window=1s").quick();
  }

  private void samples(ChildJvm child) throws Exception {
    try (RunningJvm running = child.start()) {
      running.awaitOutput("ready", DEADLINE_SECONDS);
      awaitProfile(running);
      running.terminate();
      ChildResult result = running.await(DEADLINE_SECONDS);
      assertTrue(result.picture().samples() > 0, result.toString());
      assertEquals(2, result.stderr().lines().count(), result.toString());
      assertFalse(result.stderr().toUpperCase(Locale.ROOT).contains("WARN"), result.toString());
    }
  }

  private static void awaitProfile(RunningJvm running) throws Exception {
    long deadline = System.nanoTime() + DEADLINE_SECONDS * 1_000_000_000L;
    while (!Files.isDirectory(running.profiles()) || !hasProfile(running.profiles())) {
      assertTrue(running.alive(), running.stderr());
      assertTrue(System.nanoTime() < deadline, "no profile: " + running.stderr());
      Thread.sleep(20);
    }
  }

  private static boolean hasProfile(Path directory) throws IOException {
    try (var files = Files.list(directory)) {
      return files.anyMatch(file -> file.toString().endsWith(".pb.gz"));
    }
  }
}
