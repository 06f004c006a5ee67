package io.jebpf.it.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.Beside;
import io.jebpf.it.harness.Locations;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code java -jar jebpf.jar}: the same module and native access, by the manifest. */
@Beside
final class CommandLineTest {
  @TempDir Path directory;

  private record Run(int exit, String stdout, String stderr) {}

  private Run java(String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    command.addAll(List.of(arguments));
    Path stdout = directory.resolve("stdout");
    Path stderr = directory.resolve("stderr");
    int exit =
        new ProcessBuilder(command)
            .redirectOutput(stdout.toFile())
            .redirectError(stderr.toFile())
            .start()
            .waitFor();
    return new Run(
        exit,
        Files.readString(stdout, StandardCharsets.UTF_8),
        Files.readString(stderr, StandardCharsets.UTF_8));
  }

  @Test
  void commandsAreListedWithoutAWarning() throws Exception {
    Run run = java("-jar", Locations.agentJar().toString());
    assertTrue(run.stdout().contains("doctor"), run.toString());
    assertEquals("", run.stderr());
  }

  /** The doctor makes native calls, with rights or without. */
  @Test
  void nativeCallsGiveNoWarning() throws Exception {
    Run run =
        java("--illegal-native-access=deny", "-jar", Locations.agentJar().toString(), "doctor");
    assertTrue(run.stdout().contains("native libraries"), run.toString());
    assertEquals("", run.stderr(), run.toString());
  }

  @Test
  void startedAsAClassItSaysHowToStartIt() throws Exception {
    Run run = java("-cp", Locations.agentJar().toString(), "io.jebpf.Agent", "doctor");
    assertEquals(1, run.exit());
    assertEquals(
        "jebpf: failed: java.lang.IllegalStateException: start it with: java -jar jebpf.jar\n",
        run.stderr());
    assertEquals("", run.stdout());
  }
}
