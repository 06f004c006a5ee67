package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.offcpu.WaitLoad;
import io.jebpf.it.pprof.Profile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Off-CPU profiles against programs that know how long they waited, and where.
 *
 * <p>The short run, on every machine: each site has to be within four standard deviations of its
 * truth, as they follow from the number of waits and their length, and the share of ticks that came
 * late for want of a CPU. The full run, {@code make truth} on a quiet machine: 60 s, within 3 %.
 */
@KernelTest
class OffCpuTruthTest {
  private static final String LOAD = WaitLoad.class.getName();
  private static final int PERIOD_MILLIS = 10;
  private static final int SECONDS = 10;
  private static final int SECONDS_FULL = 60;
  private static final double TOLERANCE_FULL = 0.03;
  private static final double TOLERANCE_SHORT = 0.04;

  /** Ticks are late where threads wait longest, so more is missed than their share. */
  private static final double LATE_FACTOR = 3;

  private static final double DEVIATIONS = 4;
  private static final boolean FULL = Boolean.getBoolean("jebpf.truth");

  @TempDir Path directory;
  private final List<String> wrong = new ArrayList<>();
  private final List<Site> sites = new ArrayList<>();

  private double late;

  @Test
  void eachSiteHasItsTrueTime() {
    ChildResult result =
        ChildJvm.in(directory)
            .agent("window=5s,budget=100%,offcpu=" + PERIOD_MILLIS + "ms")
            .main(
                WaitLoad.class,
                FULL ? SECONDS_FULL : SECONDS,
                directory.resolve("synced"),
                PERIOD_MILLIS)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Profiles.assertRules(result);
    List<Profile> profiles = result.profiles("offcpu");
    assertTrue(profiles.size() >= 2, result::toString);
    double ticks = Profiles.sum(profiles, "ticks");
    late = Profiles.sumIfThere(profiles, "ticks_late") / ticks;
    printTotals(profiles);
    for (int millis : new int[] {1, 3, 10, 50, 500}) {
      compare(result, "sleep" + millis, stack -> stack.contains(LOAD + ".sleep" + millis));
    }
    for (String name : List.of("site-instep", "site-halfstep")) {
      for (String half : List.of("first", "second")) {
        compare(
            result,
            name + "." + half,
            stack -> stack.thread().equals(name) && stack.contains(LOAD + "$InStep." + half));
      }
    }
    site(result, "site-lock", "$Locked.waitForLock");
    site(result, "site-monitor", "$Monitor.waitForMonitor");
    site(result, "site-pipe", "$PipeReader.waitForPipe");
    site(result, "site-socket", "$SocketReader.waitForSocket");
    site(result, "site-fsync", "$Syncer.waitForDisk");
    judge();
    assertEquals(List.of(), wrong, () -> Profiles.comments(result));
    assertEquals(0, Profiles.sumIfThere(profiles, "waits_ends_lost"), "ends of waits lost");
  }

  /** The clocks' totals beside the estimate from the stacks: the ticker itself is in the first. */
  private static void printTotals(List<Profile> profiles) {
    for (String state : List.of("blocked", "disk", "runnable")) {
      double exact = Profiles.sum(profiles, state + "_exact_ns") / 1e9;
      double estimated = Profiles.sum(profiles, state + "_estimated_ns") / 1e9;
      System.err.printf(
          "off-CPU totals: %-9s exact %9.3f s, estimated %9.3f s%n", state, exact, estimated);
    }
  }

  private void site(ChildResult result, String name, String method) {
    compare(result, name, stack -> stack.thread().equals(name) && stack.contains(LOAD + method));
  }

  /** Time asleep and on the run queue, against elapsed time less CPU time. */
  private void compare(ChildResult result, String site, Predicate<Profile.Stack> where) {
    double seen = 0;
    for (Profile profile : result.profiles("offcpu")) {
      for (Profile.Stack stack : profile.stacks()) {
        seen += where.test(stack) ? stack.values()[1] + stack.values()[2] : 0;
      }
    }
    double truth = result.value("true." + site);
    double allowed =
        FULL ? TOLERANCE_FULL : TOLERANCE_SHORT + LATE_FACTOR * late + deviation(result, site);
    System.err.printf(
        "off-CPU truth: %-22s true %8.3f s, profile %8.3f s, %+6.2f %% (at most %.2f)%n",
        site, truth / 1e9, seen / 1e9, 100 * (seen / truth - 1), 100 * allowed);
    sites.add(new Site(site, truth, seen, allowed));
  }

  private record Site(String name, double truth, double seen, double allowed) {}

  /**
   * In the short run each site's share is compared: on a machine that is so busy that the last
   * window cannot be written in time, all sites lack the same part.
   */
  private void judge() {
    double seen = sites.stream().mapToDouble(Site::seen).sum();
    double truth = sites.stream().mapToDouble(Site::truth).sum();
    double factor = FULL ? 1 : seen / truth;
    System.err.printf("off-CPU truth: all sites, profile / true %.4f%n", seen / truth);
    for (Site site : sites) {
      if (Math.abs(site.seen() / site.truth() / factor - 1) > site.allowed()) {
        wrong.add(site + " of " + factor);
      }
    }
  }

  /** Of n waits that are each met with probability p, the share that is missed or too much. */
  private static double deviation(ChildResult result, String site) {
    double count = result.value("count." + site.replaceAll("\\.(first|second)$", ""));
    double met = Math.min(1, result.value("true." + site) / count / (PERIOD_MILLIS * 1e6));
    return DEVIATIONS * Math.sqrt((1 - met) / (met * count));
  }
}
