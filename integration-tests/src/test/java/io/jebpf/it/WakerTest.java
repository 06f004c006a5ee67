package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.offcpu.WakerLoad;
import io.jebpf.it.pprof.Profile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Who ended a wait, where that is known. Waits that time out are not looked at: the kernel's record
 * does not tell them (docs/offcpu.md).
 */
@KernelTest
class WakerTest {
  private static final int ROUNDS = 100;
  private static final String WOKEN_BY = "[woken by]";
  private static final Map<String, String> METHODS =
      Map.of("lock-waiter", ".lock", "queue-waiter", ".queue", "socket-waiter", ".socket");

  /** Of the time that a thread waited; the rest is of short waits, and of the JVM's own. */
  private static final double SHARE_MIN = 0.8;

  @TempDir Path directory;

  @Test
  void wakersAreLabelled() {
    ChildResult result = run("");
    for (Map.Entry<String, String> method : METHODS.entrySet()) {
      Map<String, Long> nanos = new TreeMap<>();
      for (Profile.Stack stack : waits(result, method)) {
        assertFalse(stack.contains(WOKEN_BY), stack::toString);
        nanos.merge(stack.labels().getOrDefault("waker", ""), stack.values()[1], Long::sum);
      }
      assertShare(nanos, WakerLoad.WAKER);
    }
  }

  @Test
  void wakersStacksStandAboveTheirWaits() {
    ChildResult result = run(",offcpu.waker.stack=true");
    for (Map.Entry<String, String> method : METHODS.entrySet()) {
      Map<String, Long> nanos = new TreeMap<>();
      for (Profile.Stack stack : waits(result, method)) {
        nanos.merge(aboveMarker(stack), stack.values()[1], Long::sum);
      }
      assertShare(nanos, WakerLoad.class.getName() + ".wake");
    }
  }

  /** The last method of the load above the marker. */
  private static String aboveMarker(Profile.Stack stack) {
    String found = "";
    for (Profile.Frame frame : stack.frames()) {
      if (frame.function().equals(WOKEN_BY)) {
        return found;
      }
      if (frame.function().equals(WakerLoad.class.getName() + ".wake")) {
        found = frame.function();
      }
    }
    return "";
  }

  private static void assertShare(Map<String, Long> nanos, String wanted) {
    long all = nanos.values().stream().mapToLong(Long::longValue).sum();
    assertTrue(all > ROUNDS * 20_000_000L, nanos::toString);
    assertTrue(nanos.getOrDefault(wanted, 0L) >= SHARE_MIN * all, nanos::toString);
  }

  private ChildResult run(String options) {
    ChildResult result =
        ChildJvm.in(directory)
            .agent("window=2s,budget=1000%,offcpu.idle=true" + options)
            .main(WakerLoad.class, ROUNDS)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    return result;
  }

  private static List<Profile.Stack> waits(ChildResult result, Map.Entry<String, String> method) {
    String function = WakerLoad.class.getName() + method.getValue();
    return result.profiles("offcpu").stream()
        .flatMap(profile -> profile.stacks().stream())
        .filter(stack -> stack.thread().equals(method.getKey()))
        .filter(stack -> stack.contains(function))
        .toList();
  }
}
