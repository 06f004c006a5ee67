package io.jebpf.it.upload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.Beside;
import io.jebpf.it.bench.Fleet;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A short slice of {@code make fleet}. */
@Beside
class FleetTest {
  @TempDir private Path directory;

  @Test
  void manyAgentsComeBackAsTheyWentAndNothingIsMissing() throws Exception {
    Fleet.Outcome outcome = new Fleet(20, directory).run(2);
    assertEquals("", outcome.failure(), outcome::toString);
    assertTrue(outcome.refusedPerSecond() < 20, outcome::toString);
  }
}
