package io.jebpf.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** There is no agent in this JVM, nor its jar on the path. */
class WithoutAgentTest {
  @TempDir private Path directory;

  @Test
  void aRecordingIsNothing() throws Exception {
    try (Recording recording = Recording.start("nothing")) {
      assertFalse(recording.isPresent());
      assertEquals(0, recording.stop().read("cpu").length);
      recording.writeTo(directory.resolve("none.pb.gz"), "cpu");
      assertFalse(Files.exists(directory.resolve("none.pb.gz")));
      recording.stop();
    }
  }

  @Test
  void theLinkSaysSo() {
    assertFalse(Link.isPresent());
    assertNull(Link.call("recording.start", "x"));
  }
}
