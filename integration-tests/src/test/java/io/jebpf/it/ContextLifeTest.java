package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.context.OrphanLoad;
import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.pprof.Profile;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Contexts whose threads end, and those of an agent that comes late and goes. */
@KernelTest
class ContextLifeTest {
  private static final int VIRTUAL_ORPHANS = 1_000_000;
  private static final int PLATFORM_ORPHANS = 1_000;

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

  /** A counter in a profile's comments, which leave out those that are 0. */
  private static long comment(Profile profile, String name) {
    return profile.comments().stream()
        .filter(comment -> comment.startsWith(name + "="))
        .mapToLong(comment -> Long.parseLong(comment.substring(name.length() + 1)))
        .sum();
  }
}
