package io.jebpf.agent.vthread;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;

class YieldCallTest {
  private static final String HERE = "io/jebpf/agent/vthread/YieldCallTest";

  /** Calls one method; long and double constants take two numbers of the pool. */
  public static final class Caller implements IntSupplier {
    static final long WIDE = 0x1234_5678_9abcL;
    static final double WIDER = 3.25e77; // both are in the pool, in front of what is looked for

    @Override
    public int getAsInt() {
      return First.number(41) + First.other();
    }
  }

  public static final class First {
    private First() {}

    static int number(int given) {
      return given + 1;
    }

    static int other() {
      return 100;
    }
  }

  public static final class Second {
    private Second() {}

    static int number(int given) {
      return given + 2;
    }
  }

  private static final class Loader extends ClassLoader {
    Loader() {
      super(YieldCallTest.class.getClassLoader());
    }

    Class<?> define(byte[] bytes) {
      return defineClass(null, bytes, 0, bytes.length);
    }
  }

  @Test
  void oneCallGoesToTheOtherClassAndNothingElseChanges() throws Exception {
    assertEquals(142, new Caller().getAsInt());
    byte[] before = bytesOf("YieldCallTest$Caller");
    byte[] after =
        YieldCall.redirect(before, HERE + "$First", "number", "(I)I", HERE + "$Second")
            .orElseThrow();
    assertEquals(2, pool(after) - pool(before));
    assertEquals(143, resultOf(after, "First", "Second"));
  }

  /**
   * What a changed class gives. Another loader is another package: what it calls has to come along.
   */
  private static int resultOf(byte[] caller, String... called) throws Exception {
    Loader loader = new Loader();
    for (String name : called) {
      loader.define(bytesOf("YieldCallTest$" + name));
    }
    return ((IntSupplier) loader.define(caller).getConstructor().newInstance()).getAsInt();
  }

  /** A virtual call, as that of Continuation.run in VirtualThread. */
  public static final class VirtualCaller implements IntSupplier {
    @Override
    public int getAsInt() {
      Third third = new Third(7);
      return third.twice() + third.once();
    }
  }

  public static final class Third {
    final int number;

    Third(int number) {
      this.number = number;
    }

    int once() {
      return number;
    }

    int twice() {
      return 2 * number;
    }
  }

  /** The call is there twice: which one is meant cannot be told. */
  public static final class CallsTwice implements IntSupplier {
    @Override
    public int getAsInt() {
      Third third = new Third(7);
      return third.twice() + third.twice();
    }
  }

  public static final class Fourth {
    private Fourth() {}

    static int twice(Third third) {
      return 1000 + third.once();
    }
  }

  @Test
  void aVirtualCallBecomesAStaticOne() throws Exception {
    assertEquals(21, new VirtualCaller().getAsInt());
    byte[] before = bytesOf("YieldCallTest$VirtualCaller");
    byte[] after = toFourth(before).orElseThrow();
    assertEquals(5, pool(after) - pool(before));
    assertEquals(1014, resultOf(after, "Third", "Fourth"));
    assertEquals(Optional.empty(), toFourth(bytesOf("YieldCallTest$CallsTwice")));
    assertEquals(Optional.empty(), toFourth(bytesOf("YieldCallTest$Caller")));
  }

  private static Optional<byte[]> toFourth(byte[] classFile) {
    return YieldCall.redirectToStatic(
        classFile, HERE + "$Third", "twice", "()I", HERE + "$Fourth", "(L" + HERE + "$Third;)I");
  }

  /** Constants as those of VirtualThread. */
  static final class Constants {
    static final String TEXT = "of another type";
    static final int SEVENTEEN = 17;
    static final int LARGE = 1_234_567;
    static int variable = 3;

    private Constants() {}
  }

  @Test
  void constantsAreReadFromTheClassFile() throws IOException {
    byte[] bytes = bytesOf("YieldCallTest$Constants");
    assertEquals(OptionalInt.of(17), YieldCall.constant(bytes, "SEVENTEEN"));
    assertEquals(OptionalInt.of(1_234_567), YieldCall.constant(bytes, "LARGE"));
    assertEquals(OptionalInt.empty(), YieldCall.constant(bytes, "TEXT"));
    assertEquals(OptionalInt.empty(), YieldCall.constant(bytes, "variable"));
    assertEquals(OptionalInt.empty(), YieldCall.constant(bytes, "EIGHTEEN"));
  }

  @Test
  void anUnknownCallIsNoCall() throws IOException {
    byte[] before = bytesOf("YieldCallTest$Caller");
    String first = HERE + "$First";
    String second = HERE + "$Second";
    assertEquals(Optional.empty(), YieldCall.redirect(before, first, "number", "(J)I", second));
    assertEquals(Optional.empty(), YieldCall.redirect(before, first, "numbers", "(I)I", second));
    assertEquals(Optional.empty(), YieldCall.redirect(before, second, "number", "(I)I", first));
  }

  @Test
  void whatIsNoClassFileIsRefused() {
    byte[] unknownTag = {0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 99, 0, 0};
    assertThrows(
        IllegalArgumentException.class, () -> YieldCall.redirect(unknownTag, "a", "b", "c", "d"));
    byte[] cutShort = {0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 1, 0, 1, 65};
    assertThrows(
        IndexOutOfBoundsException.class, () -> YieldCall.redirect(cutShort, "a", "b", "c", "d"));
  }

  @Test
  void theVirtualThreadOfThisJdkHasTheCall() throws Exception {
    byte[] before;
    try (InputStream in = Object.class.getResourceAsStream("/java/lang/VirtualThread.class")) {
      before = in.readAllBytes();
    }
    assertTrue(
        YieldCall.redirect(
                before,
                "jdk/internal/vm/Continuation",
                "yield",
                "(Ljdk/internal/vm/ContinuationScope;)Z",
                "java/lang/JebpfParks")
            .isPresent());
  }

  private static byte[] bytesOf(String simpleName) throws IOException {
    try (InputStream in = YieldCallTest.class.getResourceAsStream(simpleName + ".class")) {
      return in.readAllBytes();
    }
  }

  private static int pool(byte[] classFile) {
    return (classFile[8] & 0xff) << 8 | classFile[9] & 0xff;
  }
}
