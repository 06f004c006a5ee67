package io.jebpf.agent.options;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** {@code -Dgolden.update=true} rewrites the page. */
class OptionsPageTest {
  private static final Path PAGE = Path.of("..", "docs", "options.md");

  @Test
  void pageAgreesWithTheTable() throws IOException {
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(PAGE, OptionsPage.markdown());
    }
    assertEquals(OptionsPage.markdown(), Files.readString(PAGE));
  }
}
