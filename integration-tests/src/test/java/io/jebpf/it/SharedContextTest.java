package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.context.SharedLoad;
import io.jebpf.it.harness.Attach;
import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.harness.RunningJvm;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Contexts as another profiler reads them: {@code otel_reader.c}, which knows OTEP 4947 and OTEP
 * 4719 and nothing of us.
 */
@Beside
@KernelTest
class SharedContextTest {
  private static final int THREADS = 6;
  private static final int ROUNDS = 60;
  private static final int ATTACH_SECONDS = 120;

  /** Threads come once a second: of those of the last 4 s, on a busy machine, some show theirs. */
  private static final int LEFT_MAX = 4;

  @TempDir Path directory;

  /** What a reader has seen. */
  private record Seen(String process, boolean symbol, int inside, int labelled, int none) {}

  private Seen read(Path reader, RunningJvm jvm) throws Exception {
    Tools.Outcome outcome =
        Tools.run(directory, reader.toString(), Long.toString(jvm.pid()), Integer.toString(ROUNDS));
    assertEquals(0, outcome.exitCode(), outcome.output());
    String[] lines = outcome.output().split("\n");
    int inside = 0;
    int labelled = 0;
    int none = 0;
    int left = 0;
    boolean symbol = true;
    for (String line : lines) {
      String[] words = line.split(" ");
      if (words[0].equals("process")) {
        continue;
      }
      if (words[0].equals("symbol")) {
        assertEquals("none", words[1], "two libraries have the symbol");
        symbol = false;
        continue;
      }
      if (words[1].equals("none")) {
        none += words[0].startsWith("p") ? 1 : 0;
        continue;
      }
      if (words[0].equals("visitor") || words[0].equals("left")) {
        left += isOf(SharedLoad.VISITOR, words) ? 1 : 0;
        continue;
      }
      assertTrue(words[0].matches("p\\d"), "a thread that is in no span of its own: " + line);
      if (!words[2].equals("0000000000000000")) {
        assertTrue(isOf(Integer.parseInt(words[0].substring(1)), words), line);
      }
      inside++;
      if (words.length > 4) {
        assertEquals("1=" + words[0] + ",", words[4], line);
        labelled++;
      }
    }
    // Where threads of native code left a span open, the agent finds out within two seconds.
    assertTrue(left <= LEFT_MAX * ROUNDS, left + " times a span that was left open");
    return new Seen(lines[0], symbol, inside, labelled, none);
  }

  private static boolean isOf(int owner, String[] words) {
    long span = Long.parseUnsignedLong(words[2], 16);
    return SharedLoad.owner(span) == owner && words[1].equals(SharedLoad.trace(span));
  }

  private static boolean names(Seen seen, String text) {
    return seen.process().contains(HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static void assertShown(Seen seen) {
    assertTrue(seen.symbol() && seen.inside() > ROUNDS * THREADS / 3, seen::toString);
    assertTrue(seen.labelled() > 0 && seen.none() > 0, seen::toString);
  }

  @Test
  void anotherReaderFindsSpansOfPlatformThreadsAndNoWrongOnes() throws Exception {
    Assumptions.assumeTrue(
        System.getProperty("os.arch").equals("amd64"), "skipped: the reader knows x86-64 only");
    Path reader = Tools.compile(directory, "otel_reader.c", "otel_reader");
    ChildJvm child =
        ChildJvm.in(directory)
            .jvm("-XX:+EnableDynamicAgentLoading", "--enable-native-access=ALL-UNNAMED")
            .classPath(
                Locations.classes()
                    + ":"
                    + Locations.apiJar()
                    + ":"
                    + Locations.application("opentelemetry"))
            .main(SharedLoad.class, Deadlines.RUN_SECONDS, THREADS, Tools.jniLibrary(directory));
    try (RunningJvm running = child.start()) {
      running.awaitOutput("ready=1", Deadlines.RUN_SECONDS);
      assertEquals(new Seen("process none", false, 0, 0, 0), read(reader, running));
      try (Attach attach = Attach.to(running.pid(), Locations.agentJar(), directory)) {
        for (int life = 1; life <= 2; life++) {
          begin(attach, "out=off,service=shared-load,context.share=true");
          Thread.sleep(8_000); // keys are published once a second; visitors come and leave
          Seen seen = read(reader, running);
          assertShown(seen);
          assertTrue(seen.process().startsWith("process 2 "), seen::toString);
          assertTrue(names(seen, "shared-load") && names(seen, "tenant"), seen::toString);
          assertTrue(names(seen, "threadlocal.attribute_key_map"), seen::toString);
          end(attach, reader, running);
        }
        // Who looks without being told to still finds nothing wrong, and no process context.
        begin(attach, "out=off");
        Seen seen = read(reader, running);
        assertShown(seen);
        assertEquals("process none", seen.process());
        end(attach, reader, running);
      }
    }
  }

  private static void begin(Attach attach, String options) throws Exception {
    String ok = attach.request(options, ATTACH_SECONDS);
    assertTrue(ok.startsWith("ok"), ok);
  }

  private void end(Attach attach, Path reader, RunningJvm running) throws Exception {
    String gone = attach.request("detach", ATTACH_SECONDS);
    assertTrue(gone.startsWith("ok"), gone);
    Seen seen = read(reader, running);
    assertEquals(0, seen.inside(), seen::toString);
    assertEquals("process none", seen.process());
  }
}
