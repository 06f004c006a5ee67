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
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Off-CPU profiles against programs that know how long they waited, and where. On request, with
 * {@code -Djebpf.truth=true}: where the ticker has to wait for a CPU itself, ticks are late, and
 * short waits are seen too small by that share.
 */
@KernelTest
class OffCpuTruthTest {
  private static final String LOAD = WaitLoad.class.getName();
  private static final int PERIOD_MILLIS = 10;
  private static final double TOLERANCE = 0.03;

  @TempDir Path directory;
  private final List<String> wrong = new ArrayList<>();

  @BeforeEach
  void onRequest() {
    Assumptions.assumeTrue(
        Boolean.getBoolean("jebpf.truth"), "skipped: needs a quiet machine; -Djebpf.truth=true");
  }

  @Test
  void eachSiteHasItsTrueTime() {
    ChildResult result =
        ChildJvm.in(directory)
            .agent("window=5s,budget=100%,offcpu=" + PERIOD_MILLIS + "ms")
            .main(WaitLoad.class, 25, directory.resolve("synced"), PERIOD_MILLIS)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Profiles.assertRules(result);
    List<Profile> profiles = result.profiles("offcpu");
    assertTrue(profiles.size() >= 4, result::toString);
    for (int millis : new int[] {1, 3, 10, 50}) {
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
    assertEquals(List.of(), wrong, () -> Profiles.comments(result));
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
    System.err.printf(
        "off-CPU truth: %-22s true %8.3f s, profile %8.3f s, %+6.2f %%%n",
        site, truth / 1e9, seen / 1e9, 100 * (seen / truth - 1));
    if (Math.abs(seen / truth - 1) > TOLERANCE) {
      wrong.add(site + ": true " + truth / 1e9 + " s, seen " + seen / 1e9 + " s");
    }
  }
}
