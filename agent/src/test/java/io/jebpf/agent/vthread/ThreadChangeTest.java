package io.jebpf.agent.vthread;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** On the class of the JDK that runs the test, whole and changed. */
@EnabledForJreRange(min = JRE.JAVA_24, disabledReason = "the JVM unmounts no thread before")
class ThreadChangeTest {
  private static final Map<String, Integer> STATES =
      Map.of(
          "unparked", 9,
          "unblocked", 14,
          "timedParked", 7,
          "timedWait", 18,
          "blocking", 12,
          "waiting", 15,
          "timedWaiting", 17);
  private static final Set<String> MONITORS = Set.of("blocking", "waiting", "timedWaiting");
  private static final Set<String> UNPARKS =
      Set.of("unparked", "unblocked", "timedParked", "timedWait");

  @Test
  void allCallsAreRedirected() throws IOException {
    ThreadChange change = ThreadChange.of(virtualThread(), true, true).orElseThrow();
    assertEquals(Optional.empty(), change.withoutUnparks());
    assertEquals(Optional.empty(), change.withoutMonitors());
    assertEquals(STATES, change.states(), "VirtualThread.java of JDK 24, 25 and 28");
    assertCalls(true, true, change);
    assertEquals(
        Optional.empty(), ThreadChange.of(change.classFile(), true, true), "once is enough");
  }

  @Test
  void onlyThoseCallsAreRedirectedThatSomebodyAsksFor() throws IOException {
    ThreadChange none = ThreadChange.of(virtualThread(), false, false).orElseThrow();
    assertEquals(Map.of(), none.states());
    assertCalls(false, false, none);
    ThreadChange unparks = ThreadChange.of(virtualThread(), true, false).orElseThrow();
    assertEquals(Map.of("unparked", 9, "timedParked", 7), unparks.states());
    assertCalls(true, false, unparks);
    ThreadChange monitors = ThreadChange.of(virtualThread(), false, true).orElseThrow();
    assertEquals(MONITORS, monitors.states().keySet());
    assertCalls(false, true, monitors);
    for (ThreadChange change : List.of(none, unparks, monitors)) {
      assertEquals(Optional.empty(), change.withoutUnparks());
      assertEquals(Optional.empty(), change.withoutMonitors());
    }
  }

  @Test
  void aThreadWithoutTheStatesKeepsItsCalls() throws IOException {
    ThreadChange change =
        ThreadChange.of(with(virtualThread(), "TIMED_WAITING", "TIMED_WASTING"), true, true)
            .orElseThrow();
    assertEquals(
        Optional.of("java.lang.VirtualThread has no state TIMED_WAITING"),
        change.withoutMonitors());
    assertEquals(UNPARKS, change.states().keySet());
    assertCalls(true, false, change);
    for (String state : List.of("UNPARKED", "UNBLOCKED")) {
      change =
          ThreadChange.of(with(virtualThread(), state, state.replace('N', 'M')), true, true)
              .orElseThrow();
      assertEquals(
          Optional.of("java.lang.VirtualThread has no state " + state), change.withoutUnparks());
      assertEquals(MONITORS, change.states().keySet());
      assertCalls(false, true, change);
    }
  }

  @Test
  void aThreadThatChangesItsStateInNoKnownWayKeepsIt() throws IOException {
    ThreadChange change =
        ThreadChange.of(with(virtualThread(), "compareAndSetInt", "compareAndSwapIt"), true, true)
            .orElseThrow();
    assertEquals(
        Optional.of(
            "java.lang.VirtualThread does not call Unsafe.compareAndSetInt in just one place"),
        change.withoutUnparks());
    assertCalls(false, true, change);
  }

  @Test
  void aThreadThatIsRunInTwoPlacesKeepsBoth() throws IOException {
    byte[] classFile = virtualThread();
    byte[] twice = classFile.clone();
    byte[] once = ThreadChange.of(classFile, false, true).orElseThrow().classFile();
    byte[] yielding = ThreadChange.of(classFile, false, false).orElseThrow().classFile();
    // from the end the two differ in nothing before the call, whose bytes are put behind all
    int fromEnd = 1;
    while (once[once.length - fromEnd] == yielding[yielding.length - fromEnd]) {
      fromEnd++;
    }
    int call = twice.length - fromEnd - 2;
    assertEquals(0xb6, twice[call] & 0xff, "invokevirtual");
    System.arraycopy(classFile, call, twice, twice.length - 3, 3);
    ThreadChange change = ThreadChange.of(twice, true, true).orElseThrow();
    assertEquals(
        Optional.of("java.lang.VirtualThread does not call Continuation.run in just one place"),
        change.withoutMonitors());
    assertCalls(true, false, change);
  }

  @Test
  void withoutTheYieldNothingIsChanged() throws IOException {
    byte[] other =
        with(virtualThread(), "jdk/internal/vm/Continuation", "jdk/internal/vm/Continuativa");
    assertFalse(ThreadChange.of(other, true, true).isPresent());
  }

  /** Besides the yield. */
  private static void assertCalls(boolean unparks, boolean monitors, ThreadChange change) {
    String text = new String(change.classFile(), ISO_8859_1);
    int targets = 1 + (unparks ? 1 : 0) + (monitors ? 1 : 0);
    assertEquals(targets, text.split("java/lang/JebpfParks", -1).length - 1);
    assertEquals(unparks, text.contains("(Ljdk/internal/misc/Unsafe;Ljava/lang/Object;JII)Z"));
    assertEquals(monitors, text.contains("(Ljdk/internal/vm/Continuation;)V"));
  }

  /** A constant's name for another one as long. */
  private static byte[] with(byte[] classFile, String name, String other) {
    assertEquals(name.length(), other.length());
    String marked = (char) 1 + "" + (char) 0 + (char) name.length() + name;
    String text = new String(classFile, ISO_8859_1);
    assertNotEquals(-1, text.indexOf(marked), name);
    return text.replace(marked, marked.replace(name, other)).getBytes(ISO_8859_1);
  }

  private static byte[] virtualThread() throws IOException {
    try (InputStream in = Object.class.getResourceAsStream("/java/lang/VirtualThread.class")) {
      return in.readAllBytes();
    }
  }
}
