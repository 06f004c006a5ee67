package io.jebpf.agent.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandsTest {
  @TempDir private Path directory;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(String... arguments) {
    return new Commands("1.2")
        .run(
            List.of(arguments),
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
  }

  private String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  private String err() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void withoutArgumentsItListsExactlyWhatExists() {
    assertEquals(0, run());
    List<String> listed =
        out()
            .lines()
            .filter(line -> line.startsWith("  java -jar jebpf.jar "))
            .map(line -> line.strip().split(" ")[3])
            .toList();
    assertEquals(
        List.of(
            "doctor",
            "attach",
            "detach",
            "top",
            "heatmap",
            "summary",
            "flamegraph",
            "convert",
            "options",
            "version"),
        listed);
  }

  @Test
  void unknownCommandsAreRefusedWithTheList() {
    assertEquals(2, run("recrod"));
    assertTrue(err().startsWith("jebpf: unknown command 'recrod'\n"), err());
    assertTrue(err().contains("doctor"), err());
    assertEquals("", out());
  }

  @Test
  void versionAndOptions() {
    assertEquals(0, run("version"));
    assertEquals("jebpf 1.2" + System.lineSeparator(), out());
    assertEquals(0, run("options"));
    assertTrue(out().contains("cpu  (number; default 99; 0 to 10000)"), out());
    assertEquals(2, run("version", "x"));
  }

  @Test
  void summaryRefusesWhatIsNoProfile() throws IOException {
    Path file = Files.writeString(directory.resolve("x"), "no profile");
    assertEquals(1, run("summary", file.toString()));
    assertTrue(err().contains(file + " is no readable profile"), err());
    assertEquals(2, run("summary"));
  }
}
