package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.offcpu.QueueLoad;
import io.jebpf.it.pprof.Profile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Virtual threads on one carrier on which others compute: what they wait until they are woken is
 * off-CPU time, what they wait then for the carrier is run-queue time. A short run as a rule; with
 * {@code -Djebpf.truth=true} a minute on a quiet machine.
 */
@KernelTest
class VirtualQueueTest {
  private static final String LOAD = QueueLoad.class.getName() + ".";
  private static final boolean LONG_RUN = Boolean.getBoolean("jebpf.truth");
  private static final int SECONDS = LONG_RUN ? 60 : 8;
  private static final int COMPUTERS = 3;
  private static final int COMPUTE_MICROS = 2_500;
  private static final int EACH = 3;

  /** Of a site's whole time: how wrong each of its two parts may be. */
  private static final double TOLERANCE = LONG_RUN ? 0.03 : 0.1;

  /** Site, the method in which it waits, and the reason that its rows have to have. */
  private static final List<List<String>> SITES =
      List.of(
          List.of("unparked", "waitForUnpark", "park"),
          List.of("inTime", "waitForUnparkInTime", "park"),
          List.of("sleep", "sleepWhile", "sleep"),
          List.of("notified", "waitForNotify", "wait"),
          List.of("monitor", "waitForMonitor", "monitor"),
          List.of("timeout", "waitForTimeout", "wait"));

  @TempDir Path directory;

  /** {@code 0}: the JDK of the tests. */
  @ParameterizedTest(name = "JDK {0}")
  @ValueSource(ints = {0, 24, 28})
  void waitingForACarrierIsNoWaiting(int release) {
    ChildJvm child = ChildJvm.in(directory);
    if (release != 0) {
      child.javaHome(OtherJdks.require(release));
    }
    ChildResult result =
        child
            .agent("window=5s,budget=100%")
            .jvm(
                "-Djdk.virtualThreadScheduler.parallelism=1",
                "-Djdk.virtualThreadScheduler.maxPoolSize=1")
            .main(QueueLoad.class, SECONDS, COMPUTERS, COMPUTE_MICROS, EACH)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Profiles.assertRules(result);
    List<String> wrong = new ArrayList<>();
    for (List<String> site : SITES) {
      compare(result, site.get(0), LOAD + site.get(1), site.get(2), wrong);
    }
    assertEquals(List.of(), wrong, result::toString);
  }

  private static void compare(
      ChildResult result, String site, String method, String reason, List<String> wrong) {
    double parked = 0;
    double queued = 0;
    for (Profile profile : result.profiles("offcpu")) {
      for (Profile.Stack stack : profile.stacks()) {
        if (stack.contains(method) && !stack.labels().containsKey("thread")) {
          parked += stack.values()[1];
          queued += stack.values()[2];
          if (!reason.equals(stack.labels().getOrDefault("wait", ""))) {
            wrong.add(site + ": " + stack.labels());
          }
        }
      }
    }
    double trueParked = result.value("parked." + site);
    double trueQueued = result.value("queued." + site);
    double all = trueParked + trueQueued;
    assertTrue(all > 1e9, () -> site + " waited for " + all + " ns only");
    System.err.printf(
        "virtual threads and a carrier: %-9s %7d waits; parked: true %7.3f s, profile %7.3f s,"
            + " %+5.2f %%; queued: true %7.3f s, profile %7.3f s, %+5.2f %%%n",
        site,
        result.value("count." + site),
        trueParked / 1e9,
        parked / 1e9,
        100 * (parked - trueParked) / all,
        trueQueued / 1e9,
        queued / 1e9,
        100 * (queued - trueQueued) / all);
    assertEquals(queued, runnableInWall(result, method), 1e6, () -> site + " in wall");
    if (Math.abs(parked - trueParked) > TOLERANCE * all
        || Math.abs(queued - trueQueued) > TOLERANCE * all) {
      wrong.add(site);
    }
  }

  private static double runnableInWall(ChildResult result, String method) {
    double nanos = 0;
    for (Profile profile : result.profiles("wall")) {
      for (Profile.Stack stack : profile.stacks()) {
        if (stack.contains(method)
            && !stack.labels().containsKey("thread")
            && "runnable".equals(stack.labels().get("state"))) {
          nanos += stack.values()[0];
        }
      }
    }
    return nanos;
  }
}
