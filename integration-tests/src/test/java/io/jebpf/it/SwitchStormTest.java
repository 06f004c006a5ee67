package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.offcpu.SwitchLoad;
import io.jebpf.it.pprof.Profile;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two threads on one CPU that do nothing but wake each other, more than 100,000 switches a second:
 * beyond the budget stacks are taken more seldom, the profile says so, and the times stay true.
 */
@KernelTest
class SwitchStormTest {
  private static final int SECONDS = 10;
  private static final int SWITCHES_MIN = 100_000; // a second
  private static final long PERIOD_NANOS = 1_000_000;
  private static final long WINDOW_NANOS = 2_000_000_000L;

  private static final double ERROR_MAX = 0.03;

  /** Of the window: each has the CPU for about half of it, less what the JVM's own threads take. */
  private static final double TURN_ERROR_MAX = 0.1;

  @TempDir Path directory;

  @Test
  void beyondTheBudgetTheTimesStayTrue() {
    ChildResult result =
        ChildJvm.in(directory)
            .agent("window=2s,offcpu=1ms,budget=1%")
            .prefix("taskset", "-c", "1")
            .main(SwitchLoad.class, "park", SECONDS)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    List<Profile> full =
        result.profiles("offcpu").stream().skip(1).filter(SwitchStormTest::isAllStorm).toList();
    assertTrue(full.size() >= 2, () -> full.size() + " windows; " + result);
    for (Profile profile : full) {
      assertEquals(PERIOD_NANOS, Profiles.figure(profile, "tick_asked_ns"));
      boolean told = profile.comments().stream().anyMatch(c -> c.startsWith("budget="));
      assertTrue(told, () -> profile.comments().toString());
      double exact = -profile.durationNanos(); // the ticker's own sleep is not met
      double estimated = 0;
      for (String kind : List.of("runnable", "blocked", "disk")) {
        exact += Profiles.figure(profile, kind + "_exact_ns");
        estimated += Profiles.figure(profile, kind + "_estimated_ns");
      }
      assertEquals(exact, estimated, ERROR_MAX * exact, "time off CPU, all threads");
      assertEquals(0, Profiles.sumIfThere(List.of(profile), "not_sampled_ns"));
      for (String thread : List.of("main", "pong")) {
        double nanos =
            profile.stacks().stream()
                .filter(stack -> stack.thread().equals(thread))
                .mapToLong(stack -> stack.values()[1] + stack.values()[2])
                .sum();
        assertEquals(0.5, nanos / profile.durationNanos(), TURN_ERROR_MAX, thread);
      }
    }
  }

  /** As many switches as the test is about, after stacks have become fewer. */
  private static boolean isAllStorm(Profile profile) {
    double seconds = profile.durationNanos() / 1e9;
    return profile.durationNanos() >= WINDOW_NANOS
        && Profiles.figure(profile, "context_switches") > SWITCHES_MIN * seconds
        && Profiles.figure(profile, "tick_ns") > 2 * PERIOD_NANOS;
  }
}
