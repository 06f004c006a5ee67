package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.offcpu.ParkLoad;
import io.jebpf.it.pprof.Profile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Parks of virtual threads against a program that knows how long they were, and where. A short run
 * as a rule; with {@code -Djebpf.truth=true} a minute on a quiet machine, held to 3 %.
 */
@KernelTest
class ParkTruthTest {
  private static final String LOAD = ParkLoad.class.getName() + ".";
  private static final boolean LONG_RUN = Boolean.getBoolean("jebpf.truth");
  private static final int SECONDS = LONG_RUN ? 60 : 8;

  /** Of about 3,000 stacks in the short run each site has 250: a relative error of 7 %. */
  private static final double TOLERANCE = LONG_RUN ? 0.03 : 0.35;

  /** Site, the method in which it parks, and the reason that its stacks have to have. */
  private static final List<List<String>> SITES =
      List.of(
          List.of("sleep1", "sleep1", "sleep"),
          List.of("sleep3", "sleep3", "sleep"),
          List.of("sleep10", "sleep10", "sleep"),
          List.of("sleep50", "sleep50", "sleep"),
          List.of("sleep500", "sleep500", "sleep"),
          List.of("park5", "park5", "park"),
          List.of("deep", "deep", "park"),
          List.of("queue", "takeFromQueue", "park"),
          List.of("lock", "waitForLock", "lock"),
          List.of("socket", "waitForSocket", "socket-read"),
          List.of("monitor", "waitForMonitor", "monitor"),
          List.of("deepMonitor", "deepMonitor", "monitor"),
          List.of("timeout", "waitForTimeout", "wait"),
          List.of("notify", "waitForNotify", "wait"));

  /** Where the JVM unmounts a thread, its stack ends in the application's method. */
  private static final Set<String> UNMOUNTED_BY_JVM = Set.of("monitor", "wait");

  /** What parks beyond the first thousand of a window share. */
  private static final String OTHERS = "[other virtual threads]";

  @TempDir Path directory;

  @Test
  void eachSiteHasItsTrueTimeAndItsWholeStack() {
    ChildResult result =
        ChildJvm.in(directory)
            .agent("window=5s,budget=100%")
            .main(ParkLoad.class, SECONDS, 10)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Profiles.assertRules(result);
    List<String> wrong = new ArrayList<>();
    for (List<String> site : SITES) {
      compare(result, site.get(0), LOAD + site.get(1), site.get(2), wrong);
    }
    assertEquals(List.of(), wrong, result::toString);
    int cut = 0;
    int all = 0;
    for (Profile.Stack stack : parks(result)) {
      all++;
      cut += stack.contains("java.lang.VirtualThread.run") ? 0 : 1;
      assertTrue(
          UNMOUNTED_BY_JVM.contains(stack.labels().getOrDefault("wait", ""))
              || stack.frames().get(0).function().startsWith("java.lang.VirtualThread."),
          () -> "leaf of " + stack.frames());
      assertTrue(
          stack.frames().stream().noneMatch(frame -> frame.function().contains("JebpfParks")),
          () -> "a frame of ours in " + stack.frames());
      String thread = stack.labels().get("vthread");
      assertTrue(thread.contains("#") || thread.equals(OTHERS), () -> stack.labels().toString());
      for (String method : List.of(LOAD + "deep", LOAD + "deepMonitor")) {
        if (stack.contains(method)) {
          long deep = stack.frames().stream().filter(f -> f.function().equals(method)).count();
          assertEquals(ParkLoad.DEEP + 1, deep, () -> "in " + stack.frames());
        }
      }
    }
    assertTrue(cut * 1000 <= all, cut + " of " + all + " stacks are cut");
    assertEquals(1, result.value("hooked"));
  }

  @Test
  void virtualThreadsCanBeLeftAlone() {
    ChildResult result =
        ChildJvm.in(directory)
            .agent("window=5s,offcpu.vthreads=false")
            .main(ParkLoad.class, 2, 1)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    assertEquals(0, result.value("hooked"));
    assertEquals(List.of(), parks(result));
  }

  /** Rows of waits whose thread was on no carrier. */
  private static List<Profile.Stack> parks(ChildResult result) {
    List<Profile.Stack> found = new ArrayList<>();
    for (Profile profile : result.profiles("offcpu")) {
      for (Profile.Stack stack : profile.stacks()) {
        Map<String, String> labels = stack.labels();
        if (labels.containsKey("vthread") && !labels.containsKey("thread")) {
          found.add(stack);
        }
      }
    }
    return found;
  }

  private static void compare(
      ChildResult result, String site, String method, String reason, List<String> wrong) {
    double seen = 0;
    double count = 0;
    for (Profile.Stack stack : parks(result)) {
      if (stack.contains(method)) {
        count += stack.values()[0];
        seen += stack.values()[1] + stack.values()[2];
        if (!reason.equals(stack.labels().get("wait"))) {
          wrong.add(site + ": " + stack.labels());
        }
      }
    }
    double truth = result.value("true." + site);
    System.err.printf(
        "parks of virtual threads: %-9s true %8.3f s, profile %8.3f s, %+6.2f %%; %7d parks,"
            + " %8.0f%n",
        site,
        truth / 1e9,
        seen / 1e9,
        100 * (seen / truth - 1),
        result.value("count." + site),
        count);
    if (Math.abs(seen / truth - 1) > TOLERANCE) {
      wrong.add(site + ": true " + truth / 1e9 + " s, seen " + seen / 1e9 + " s");
    }
  }
}
