package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.harness.RunningJvm;
import io.jebpf.it.workload.IdleLoad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the agent adds to an idle JVM. */
@KernelTest
class MemoryTest {
  private static final long MIB = 1 << 20;

  /** The aim is 40, held when alone (33 to 35); with other load beside it 44 to 50 are measured. */
  private static final long RESIDENT_MIB_MAX = 60;

  private static final long HEAP_MIB_MAX = 10;
  private static final long JAR_MIB_MAX = 12;
  private static final int IDLE_SECONDS = 13; // past the first window, 10 s, and its file
  private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+(\\d+) kB");
  private static final Pattern HEAP = Pattern.compile("heap=(\\d+)");

  @TempDir Path directory;

  @Test
  void residentMemoryAndHeap() throws Exception {
    ChildJvm without = ChildJvm.in(directory.resolve("without")).main(IdleLoad.class, IDLE_SECONDS);
    ChildJvm with =
        ChildJvm.in(directory.resolve("with")).agent("").main(IdleLoad.class, IDLE_SECONDS);
    try (RunningJvm plain = without.start();
        RunningJvm profiled = with.start()) {
      plain.awaitOutput("ready=1", Deadlines.RUN_SECONDS);
      profiled.awaitOutput("ready=1", Deadlines.RUN_SECONDS);
      long resident = resident(profiled) - resident(plain);
      long heap = heap(profiled) - heap(plain);
      System.err.printf(
          "memory of the agent in an idle JVM: %.1f MiB resident, %.1f MiB heap%n",
          resident / (double) MIB, heap / (double) MIB);
      assertTrue(resident <= RESIDENT_MIB_MAX * MIB, () -> resident / 1024 + " KiB more resident");
      assertTrue(heap <= HEAP_MIB_MAX * MIB, () -> heap / 1024 + " KiB more heap");
    }
  }

  private static long resident(RunningJvm jvm) throws IOException {
    return number(RESIDENT, Files.readString(Path.of("/proc/" + jvm.pid() + "/status"))) * 1024;
  }

  private static long heap(RunningJvm jvm) {
    return number(HEAP, jvm.stdout());
  }

  private static long number(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    assertTrue(matcher.find(), () -> pattern + " not in " + text);
    return Long.parseLong(matcher.group(1));
  }

  @Test
  void jarIsSmall() throws IOException {
    long bytes = Files.size(Locations.agentJar());
    assertTrue(bytes <= JAR_MIB_MAX * MIB, () -> "jebpf.jar has " + bytes + " bytes");
  }
}
