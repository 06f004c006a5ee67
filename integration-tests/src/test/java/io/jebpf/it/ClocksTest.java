package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.harness.RunningJvm;
import io.jebpf.it.offcpu.ClockLoad;
import io.jebpf.it.workload.FreePort;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The exact clocks of each thread against wall time, and against the scheduler's own numbers. Both
 * are read at moments a little apart, in which a thread may run: that is what the allowances of
 * milliseconds are for.
 */
@KernelTest
class ClocksTest {
  private static final double WALL_SHARE = 0.001;
  private static final long READING_NANOS = 20_000_000;

  /** Threads of the JVM that come or go between counting and reading. */
  private static final int COMPILERS = 2;

  private static final long JOINED_NANOS = 1_000_000_000;

  @TempDir Path directory;

  /** One line of {@link ClockLoad}, in nanoseconds. */
  private record Clock(
      String name,
      long lifetime,
      long running,
      long runnable,
      long blocked,
      long disk,
      long stopped,
      long scheduledRunning,
      long scheduledRunnable) {
    static Clock of(String line) {
      String[] fields = line.substring("thread=".length()).split(";");
      return new Clock(
          fields[0],
          Long.parseLong(fields[1]),
          Long.parseLong(fields[2]),
          Long.parseLong(fields[3]),
          Long.parseLong(fields[4]),
          Long.parseLong(fields[5]),
          Long.parseLong(fields[6]),
          Long.parseLong(fields[7]),
          Long.parseLong(fields[8]));
    }

    long sum() {
      return running + runnable + blocked + disk + stopped;
    }
  }

  private ChildJvm child(Object... arguments) {
    Path bpf = Locations.module().resolveSibling("bpf/target/classes");
    Path tests = Locations.module().resolve("target/test-classes");
    String path = Locations.classes() + ":" + tests + ":" + bpf;
    return ChildJvm.in(directory)
        .jvm("--enable-native-access=ALL-UNNAMED")
        .classPath(path + ":" + Locations.application("h2"))
        .main(ClockLoad.class, arguments);
  }

  private static List<Clock> clocks(ChildResult result) {
    assertEquals(0, result.exitCode(), result::toString);
    assertEquals(0, result.value("failed"), result::toString);
    List<Clock> clocks =
        result.stdout().lines().filter(l -> l.startsWith("thread=")).map(Clock::of).toList();
    assertTrue(clocks.size() > 10, result::toString);
    for (Clock clock : clocks) {
      assertEquals(
          clock.lifetime(), clock.sum(), clock.lifetime() * WALL_SHARE + 10_000, clock::toString);
    }
    assertTrue(Math.abs(result.value("missing")) <= COMPILERS, result::toString);
    long wall = result.value("wall"); // from the start of the clocks to their reading
    Clock before = named(clocks, "before-sleeping");
    assertEquals(wall, before.lifetime(), wall * WALL_SHARE + READING_NANOS, before::toString);
    return clocks;
  }

  /** Within a thousandth of wall time of what the scheduler says, and of the time between reads. */
  private static void assertScheduler(ChildResult result) {
    List<Clock> clocks = clocks(result);
    long reading = READING_NANOS + result.value("skew"); // both are read while threads run
    int compared = 0;
    double worstRunning = 0;
    double worstRunnable = 0;
    for (Clock clock : clocks) {
      if (clock.scheduledRunning() < 0 || clock.name().equals("java")) {
        continue; // ended; the main thread is the one that reads
      }
      compared++;
      double allowed = clock.lifetime() * WALL_SHARE + reading;
      assertEquals(clock.scheduledRunning(), clock.running(), allowed, clock::toString);
      assertEquals(clock.scheduledRunnable(), clock.runnable(), 2 * allowed, clock::toString);
      worstRunning =
          Math.max(worstRunning, Math.abs(clock.running() - clock.scheduledRunning()) / 1e6);
      worstRunnable =
          Math.max(worstRunnable, Math.abs(clock.runnable() - clock.scheduledRunnable()) / 1e6);
    }
    assertTrue(compared > 5, "threads compared: " + compared);
    System.err.printf(
        "exact clocks: %d threads beside schedstat, farthest apart: running %.3f ms, runnable %.3f"
            + " ms%n",
        compared, worstRunning, worstRunnable);
  }

  @Test
  void ofAnIdleJvmWithThreadsFromBeforeAndThreadsThatEnd() {
    ChildResult result = child("idle", 2).run(Deadlines.RUN_SECONDS);
    List<Clock> clocks = clocks(result);
    assertScheduler(result);
    Clock sleeper = named(clocks, "before-sleeping");
    assertTrue(sleeper.blocked() > 2_000_000_000L, sleeper::toString);
    for (String line : result.stdout().lines().filter(l -> l.startsWith("lived=")).toList()) {
      String[] lived = line.substring("lived=".length()).split(";");
      Clock ended = named(clocks, lived[0]);
      assertTrue(ended.lifetime() >= Long.parseLong(lived[1]), ended + " " + line);
      long after = Long.parseLong(lived[2]) + JOINED_NANOS; // it leaves the kernel after join()
      assertTrue(ended.lifetime() <= after, ended + " " + line);
      assertTrue(ended.running() >= Long.parseLong(lived[3]) - 2_000_000, ended + " " + line);
      assertTrue(ended.blocked() + ended.runnable() >= 19_000_000, ended + " " + line);
    }
  }

  @Test
  void ofMoreThreadsThanCpus() {
    ChildResult result = child("spin", 4).run(Deadlines.RUN_SECONDS);
    assertScheduler(result);
    List<Clock> clocks = clocks(result);
    int spinners = 0;
    for (Clock clock : clocks) {
      if (clock.name().startsWith("spinner-")) {
        spinners++;
        assertTrue(clock.runnable() > clock.running(), clock::toString);
      }
    }
    assertEquals(32, spinners);
  }

  @Test
  void ofALoadedDatabase() throws Exception {
    int port = FreePort.find();
    String url = "jdbc:h2:tcp://127.0.0.1:" + port + "/" + directory.resolve("clocks");
    assertScheduler(child("h2", 4, url, port).run(2 * Deadlines.RUN_SECONDS));
  }

  @Test
  void ofAStoppedProcess() throws Exception {
    try (RunningJvm running = child("stop", 3).start()) {
      running.awaitOutput("ready", Deadlines.RUN_SECONDS);
      signal(running, "STOP");
      long from = System.nanoTime();
      Thread.sleep(1_000);
      long stopped = System.nanoTime() - from;
      signal(running, "CONT");
      List<Clock> clocks = clocks(running.await(Deadlines.RUN_SECONDS));
      Clock sleeper = named(clocks, "before-sleeping");
      assertTrue(sleeper.stopped() > 0.9 * stopped, sleeper + " of " + stopped);
    }
  }

  private static void signal(RunningJvm running, String name) throws Exception {
    Process kill =
        new ProcessBuilder("kill", "-" + name, Long.toString(running.pid())).inheritIO().start();
    assertEquals(0, kill.waitFor());
  }

  private static Clock named(List<Clock> clocks, String name) {
    return clocks.stream().filter(c -> c.name().equals(name)).findFirst().orElseThrow();
  }
}
