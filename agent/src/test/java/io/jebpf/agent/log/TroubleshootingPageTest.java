package io.jebpf.agent.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class TroubleshootingPageTest {
  private static final Path PAGE = Path.of("..", "docs", "troubleshooting.md");

  @Test
  void everyErrorTextIsAHeadingWithSomethingBelowIt() throws IOException {
    List<String> lines = Files.readAllLines(PAGE);
    for (Trouble trouble : Trouble.values()) {
      int heading = lines.indexOf("## " + trouble.title());
      assertTrue(heading >= 0, "no heading for: " + trouble.title());
      String below =
          lines.subList(heading + 1, lines.size()).stream()
              .takeWhile(line -> !line.startsWith("## "))
              .collect(Collectors.joining());
      assertTrue(below.length() > 60, "nothing below: " + trouble.title());
    }
  }

  @Test
  void titlesAreDifferentAndShort() {
    Set<String> titles =
        Arrays.stream(Trouble.values()).map(Trouble::title).collect(Collectors.toSet());
    assertEquals(Trouble.values().length, titles.size());
    titles.forEach(title -> assertTrue(title.length() < 70, title));
  }
}
