package io.jebpf.agent.vthread;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** On the class of the JDK that runs the test, whole and changed. */
@EnabledForJreRange(min = JRE.JAVA_24, disabledReason = "the JVM unmounts no thread before")
class ThreadChangeTest {
  @Test
  void bothCallsAreRedirected() throws IOException {
    ThreadChange change = ThreadChange.of(virtualThread(), true).orElseThrow();
    assertEquals(Optional.empty(), change.withoutMonitors());
    assertEquals(
        Map.of("blocking", 12, "waiting", 15, "timedWaiting", 17),
        change.states(),
        "VirtualThread.java of JDK 24 and 25");
    assertEquals(Optional.empty(), ThreadChange.of(change.classFile(), true), "once is enough");
  }

  @Test
  void theSecondCallIsLeftAloneWhereNobodyAsksForIt() throws IOException {
    ThreadChange change = ThreadChange.of(virtualThread(), false).orElseThrow();
    assertEquals(Optional.empty(), change.withoutMonitors());
    assertEquals(Map.of(), change.states());
    assertOnlyTheYield(change);
  }

  @Test
  void aThreadWithoutTheStatesKeepsItsRun() throws IOException {
    ThreadChange change =
        ThreadChange.of(with(virtualThread(), "TIMED_WAITING", "TIMED_WASTING"), true)
            .orElseThrow();
    assertEquals(
        Optional.of("java.lang.VirtualThread has no state TIMED_WAITING"),
        change.withoutMonitors());
    assertEquals(Map.of(), change.states());
    assertOnlyTheYield(change);
  }

  @Test
  void aThreadThatIsRunInTwoPlacesKeepsBoth() throws IOException {
    byte[] classFile = virtualThread();
    byte[] twice = classFile.clone();
    byte[] once = ThreadChange.of(classFile, true).orElseThrow().classFile();
    byte[] yielding = ThreadChange.of(classFile, false).orElseThrow().classFile();
    // from the end the two differ in nothing before the call, whose bytes are put behind all
    int fromEnd = 1;
    while (once[once.length - fromEnd] == yielding[yielding.length - fromEnd]) {
      fromEnd++;
    }
    int call = twice.length - fromEnd - 2;
    assertEquals(0xb6, twice[call] & 0xff, "invokevirtual");
    System.arraycopy(classFile, call, twice, twice.length - 3, 3);
    ThreadChange change = ThreadChange.of(twice, true).orElseThrow();
    assertEquals(
        Optional.of("java.lang.VirtualThread does not call Continuation.run in just one place"),
        change.withoutMonitors());
    assertOnlyTheYield(change);
  }

  @Test
  void withoutTheYieldNothingIsChanged() throws IOException {
    byte[] other =
        with(virtualThread(), "jdk/internal/vm/Continuation", "jdk/internal/vm/Continuativa");
    assertFalse(ThreadChange.of(other, true).isPresent());
  }

  private static void assertOnlyTheYield(ThreadChange change) {
    String text = new String(change.classFile(), ISO_8859_1);
    assertNotEquals(-1, text.indexOf("java/lang/JebpfParks"));
    assertEquals(text.indexOf("java/lang/JebpfParks"), text.lastIndexOf("java/lang/JebpfParks"));
    assertEquals(-1, text.indexOf("(Ljdk/internal/vm/Continuation;)V"));
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
