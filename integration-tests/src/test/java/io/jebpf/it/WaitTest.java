package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.offcpu.LengthLoad;
import io.jebpf.it.offcpu.StallLoad;
import io.jebpf.it.pprof.Profile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Single waits: that each is there with its length, and what it is called. */
@KernelTest
class WaitTest {
  private static final int PERIOD_MILLIS = 10;
  private static final int THREADS = 64;
  private static final int ROUNDS = 6;
  private static final double LENGTH_NANOS = 1e6;

  /**
   * The scheduler's books are read around the wait, and on a busy machine more happens between than
   * the wait: stalls, page faults, a lock of the JVM. On a quiet one, by {@code make truth}, the
   * aim.
   */
  private static final double LENGTHS_MIN = Boolean.getBoolean("jebpf.truth") ? 0.99 : 0.9;

  /** Who sleeps allocates a little, and may have to wait for the collector to do so. */
  private static final double ALLOCATING_MAX = 0.15;

  /** The rest of a stalled thread's time asleep: what happened before the load and after it. */
  private static final double STALLS_MIN = 0.95;

  @TempDir Path directory;

  private record Wait(double count, double asleep) {}

  /**
   * Waits of two periods and more, each of a thread of its own. One through the end of a window is
   * in both, counted once. A tick that came late for want of a CPU may miss one.
   */
  @Test
  void everyLongWaitIsThereWithItsLength() {
    ChildResult result =
        ChildJvm.in(directory)
            .agent("window=1s,budget=1000%,offcpu=" + PERIOD_MILLIS + "ms")
            .main(LengthLoad.class, THREADS, ROUNDS)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    List<Profile> profiles = result.profiles("offcpu");
    Map<String, Wait> seen = new HashMap<>();
    Map<String, Double> stalled = new HashMap<>(); // by the JVM, on the way back from the wait
    for (Profile profile : profiles) {
      for (Profile.Stack stack : profile.stacks()) {
        if (stack.contains(LengthLoad.class.getName() + ".waits")
            && reason(stack.thread()).equals(stack.labels().get("wait"))) {
          seen.merge(
              stack.thread(),
              new Wait(stack.values()[0], stack.values()[1]),
              (a, b) -> new Wait(a.count + b.count, a.asleep + b.asleep));
        }
        if ("safepoint".equals(stack.labels().get("wait"))) {
          stalled.merge(stack.thread(), (double) stack.values()[1], Double::sum);
        }
      }
    }
    List<String> missing = new ArrayList<>();
    List<String> wrong = new ArrayList<>();
    List<String> counts = new ArrayList<>();
    double worst = 0;
    int waits = 0;
    for (Map.Entry<String, String> line : lines(result, "slept.").entrySet()) {
      String thread = line.getKey();
      double slept = Double.parseDouble(line.getValue());
      if (thread.startsWith("first-") || slept < 2.05 * PERIOD_MILLIS * 1e6) {
        continue; // while code is loaded and linked one wait may be several
      }
      waits++;
      Wait wait = seen.get(thread);
      if (wait == null) {
        missing.add(thread);
        continue;
      }
      double off = wait.asleep - slept;
      double offWithStall = off + stalled.getOrDefault(thread, 0.0);
      off = Math.abs(offWithStall) < Math.abs(off) ? offWithStall : off;
      if (Math.abs(off) > LENGTH_NANOS) {
        wrong.add(thread + " " + off / 1e6 + " ms");
      } else {
        worst = Math.max(worst, Math.abs(off));
      }
      if (wait.count != 1) {
        counts.add(thread + " " + wait);
      }
    }
    long late = Profiles.sumIfThere(profiles, "ticks_late");
    System.err.printf(
        "off-CPU lengths: %d waits of %d ms and more, %d missing, %d ticks late, %d off by more"
            + " than 1 ms, the others by at most %.3f ms%n",
        waits, 2 * PERIOD_MILLIS, missing.size(), late, wrong.size(), worst / 1e6);
    assertTrue(waits > THREADS * ROUNDS * 0.9, "waits of two periods: " + waits);
    assertTrue(missing.size() <= late, () -> missing + " with " + late + " ticks late");
    assertTrue(wrong.size() <= (1 - LENGTHS_MIN) * waits, wrong::toString);
    assertTrue(counts.size() <= (1 - LENGTHS_MIN) * waits, counts::toString);
  }

  /** What the only wait of a thread is called; it may have stalls and page faults beside. */
  private static String reason(String thread) {
    String way = thread.substring(0, thread.indexOf('-'));
    return way.equals("read") ? "socket-read" : way;
  }

  private static Map<String, String> lines(ChildResult result, String prefix) {
    Map<String, String> values = new TreeMap<>();
    for (String line : result.stdout().split("\n")) {
      int equals = line.indexOf('=');
      if (line.startsWith(prefix) && equals > 0) {
        values.put(line.substring(prefix.length(), equals), line.substring(equals + 1));
      }
    }
    return values;
  }

  /** A thread that the collector stops does not wait for anything of its own. */
  @ParameterizedTest
  @ValueSource(strings = {"-XX:+UseSerialGC", "-XX:+UseG1GC"})
  void stallsAreToldApartFromOwnWaits(String collector) {
    ChildResult result =
        ChildJvm.in(directory)
            .agent("window=1h,budget=1000%,offcpu=" + PERIOD_MILLIS + "ms")
            .jvm(collector, "-Xmx500m")
            .main(StallLoad.class, 12, 100)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Map<String, Map<String, Double>> asleep = new TreeMap<>();
    for (Profile profile : result.profiles("offcpu")) {
      for (Profile.Stack stack : profile.stacks()) {
        String reason = stack.labels().getOrDefault("wait", "none");
        if (stack.frames().stream()
            .anyMatch(frame -> frame.function().startsWith(StallLoad.class.getName()))) {
          asleep
              .computeIfAbsent(stack.thread(), t -> new TreeMap<>())
              .merge(reason, stack.values()[1] / 1e9, Double::sum);
        }
      }
    }
    double paused = result.value("paused") / 1e9;
    System.err.println("off-CPU stalls " + collector + ": paused " + paused + " s, " + asleep);
    Map<String, Double> computes = asleep.getOrDefault("computes", Map.of());
    Map<String, Double> sleeps = asleep.getOrDefault("sleeps", Map.of());
    Map<String, Double> collects = asleep.getOrDefault("main", Map.of());
    double stalled = computes.getOrDefault("safepoint", 0.0);
    assertTrue(stalled > 0.9 * paused, () -> paused + " s paused, " + asleep);
    assertTrue(stalled >= STALLS_MIN * sum(computes), asleep::toString);
    assertTrue(
        collects.getOrDefault("gc", 0.0) > 0.9 * paused, () -> paused + " s paused, " + asleep);
    assertTrue(collects.getOrDefault("sleep", 0.0) > 0.5, "its own sleeps: " + asleep);
    assertTrue(sleeps.getOrDefault("sleep", 0.0) > 0.5, asleep::toString);
    assertTrue(sleeps.getOrDefault("gc", 0.0) <= ALLOCATING_MAX * paused, asleep::toString);
  }

  private static double sum(Map<String, Double> times) {
    return times.values().stream().mapToDouble(Double::doubleValue).sum();
  }
}
