package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.context.LateLoad;
import io.jebpf.it.context.OrphanLoad;
import io.jebpf.it.harness.Attach;
import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.harness.RunningJvm;
import io.jebpf.it.pprof.Profile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Contexts whose threads end, and those of an agent that comes late and goes. */
@Beside
@KernelTest
class ContextLifeTest {
  private static final int VIRTUAL_ORPHANS = 1_000_000;
  private static final int PLATFORM_ORPHANS = 1_000;
  private static final int ATTACH_SECONDS = 120;

  /** Who meets the agent giving back all places of its group at this very moment gets none. */
  private static final int LOST_MAX = VIRTUAL_ORPHANS / 100_000;

  @TempDir Path directory;

  /** The table has 65,536 places: without being given back they would be used up 15 times over. */
  @Test
  void threadsThatEndInsideAScopeGiveTheirPlacesBack() {
    ChildResult result =
        ChildJvm.in(directory)
            .agent("cpu=99,window=2s")
            .jvm("-Xmx512m")
            .classPath(Locations.classes() + ":" + Locations.application("opentelemetry"))
            .main(OrphanLoad.class, VIRTUAL_ORPHANS, PLATFORM_ORPHANS, 20_000)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    assertEquals("true", result.values().get("collected"), "ended threads are kept from the GC");
    Profile last = result.profiles().getLast();
    assertTrue(comment(last, "context_no_slot") <= LOST_MAX, result::toString);
    assertEquals(0, comment(last, "context_failed"), result::toString);
    long reclaimed = comment(last, "context_slots_reclaimed");
    assertTrue(
        reclaimed > 0.99 * VIRTUAL_ORPHANS && reclaimed <= VIRTUAL_ORPHANS + PLATFORM_ORPHANS,
        () -> reclaimed + " of them given back" + result);
  }

  /** The agent comes after the library is in use, and goes; the application has a Byte Buddy. */
  @Test
  void whatALateAgentChangesIsAsBeforeWhenItHasGone() throws Exception {
    ChildJvm child =
        ChildJvm.in(directory)
            .quick()
            .jvm(
                "-XX:+EnableDynamicAgentLoading",
                "-Djdk.attach.allowAttachSelf=true",
                "-Xverify:all")
            .classPath(
                Locations.classes()
                    + ":"
                    + Locations.application("opentelemetry")
                    + ":"
                    + Locations.application("buddy"))
            .main(LateLoad.class, Deadlines.RUN_SECONDS);
    Path out = Files.createDirectories(directory.resolve("late"));
    try (RunningJvm running = child.start()) {
      running.awaitOutput("hooked=false seen=true", Deadlines.RUN_SECONDS);
      try (Attach attach = Attach.to(running.pid(), Locations.agentJar(), directory)) {
        for (int life = 1; life <= 2; life++) {
          String ok = attach.request("cpu=499,budget=100%,window=1s,out=" + out, ATTACH_SECONDS);
          assertTrue(ok.startsWith("ok"), ok);
          awaitLast(running, "hooked=true seen=true");
          Thread.sleep(3_000);
          String gone = attach.request("detach", ATTACH_SECONDS);
          assertTrue(gone.startsWith("ok"), gone);
          awaitLast(running, "hooked=false seen=true");
        }
      }
      assertFalse(running.stderr().contains("could not be instrumented"), running.stderr());
      assertFalse(running.stderr().contains("Error"), running.stderr());
    }
    long inside = 0;
    long carried = 0;
    try (Stream<Path> files = Files.list(out)) {
      for (Path file : files.filter(f -> f.getFileName().toString().startsWith("cpu-")).toList()) {
        for (Profile.Stack stack : Profile.read(file).stacks()) {
          if (stack.contains(LateLoad.class.getName() + ".inside")) {
            inside += stack.values()[0];
            boolean carries = LateLoad.SPAN.equals(stack.labels().get("span_id"));
            carried += carries ? stack.values()[0] : 0;
          }
        }
      }
    }
    assertTrue(inside > 200 && carried >= 0.95 * inside, carried + " of " + inside);
  }

  /** What is printed from now on says so. */
  private static void awaitLast(RunningJvm running, String text) throws InterruptedException {
    int before = running.stdout().length();
    long deadline = System.nanoTime() + Deadlines.RUN_SECONDS * 1_000_000_000L;
    while (!running.stdout().substring(before).contains(text)) {
      assertTrue(System.nanoTime() < deadline, () -> "no " + text + ": " + running.stdout());
      Thread.sleep(100);
    }
  }

  /** A counter in a profile's comments, which leave out those that are 0. */
  private static long comment(Profile profile, String name) {
    return profile.comments().stream()
        .filter(comment -> comment.startsWith(name + "="))
        .mapToLong(comment -> Long.parseLong(comment.substring(name.length() + 1)))
        .sum();
  }
}
