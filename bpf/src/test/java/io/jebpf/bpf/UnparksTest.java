package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How a park is divided where its thread was unparked, without a kernel and without threads. */
@SuppressWarnings("restricted")
class UnparksTest {
  private static final long PERIOD = 10_000_000;
  private static final long UNDIVIDED = -1;
  private static final long TIMED = 1;
  private static final long FIRST = 2;
  private static final long DUE = 1L << 63;
  private static final long THREAD = 0x2_1234;

  private final Parks parks = new Parks(Kernel.runtime().kernel(), -1);
  private final MemorySegment page =
      MemorySegment.ofAddress(parks.address()).reinterpret(Long.BYTES);
  private final MemorySegment slots =
      MemorySegment.ofAddress(parks.unparkTable().orElseThrow())
          .reinterpret(UnparkedThreads.TICKS_OFFSET);

  private final MethodHandle queued =
      handle(
          "jebpf_queued",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG));

  private final MethodHandle tick =
      handle(
          "parks_tick",
          FunctionDescriptor.ofVoid(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG));

  private static MethodHandle handle(String name, FunctionDescriptor shape) {
    return Linker.nativeLinker()
        .downcallHandle(MemorySegment.ofAddress(NativeRuntime.helperSymbol(name)), shape);
  }

  /** As after the first park. */
  @BeforeEach
  void begin() {
    page.set(ValueLayout.JAVA_LONG, 0, FIRST);
  }

  /** As if no virtual thread had ever parked here. */
  @AfterEach
  void forget() {
    parks.withoutUnparks();
    page.set(ValueLayout.JAVA_LONG, 0, 0);
  }

  private long word() {
    return parks.word() & ~TIMED;
  }

  private void ticks(int count) throws Throwable {
    for (int i = 0; i < count; i++) {
      tick.invokeExact(parks.address(), PERIOD, PERIOD, (long) i);
    }
  }

  /** As java.lang.JebpfParks does it, what integration tests look at. */
  private void leave(long thread, long value) {
    long slot = thread << 3 | thread >>> 13 & 7;
    slots.set(
        ValueLayout.JAVA_LONG,
        (slot & UnparkedThreads.SLOTS - 1) * Long.BYTES,
        value ^ thread * 0x9e3779b97f4a7c15L);
  }

  private long queued(long thread, long from) throws Throwable {
    return (long) queued.invokeExact(parks.address(), thread, from, word());
  }

  @Test
  void aParkIsDividedWhereItsThreadWasUnparked() throws Throwable {
    for (int parked = 0; parked <= 20; parked++) { // some of the words say that it was timed
      long from = word();
      ticks(parked);
      leave(THREAD, parks.word());
      ticks(3);
      assertEquals(3 * PERIOD, queued(THREAD, from), parked + " ticks parked");
    }
  }

  @Test
  void whoRunsAtOnceHasNotWaitedForACarrier() throws Throwable {
    long from = word();
    ticks(5);
    leave(THREAD, parks.word());
    assertEquals(0, queued(THREAD, from));
  }

  @Test
  void whatAnotherThreadLeftIsNoticed() throws Throwable {
    long from = word();
    for (int i = 1; i < 1_000; i++) {
      ticks(1);
      leave(THREAD, parks.word());
      leave(THREAD + (long) i * UnparkedThreads.SLOTS, parks.word());
      assertEquals(UNDIVIDED, queued(THREAD, from), "by thread + " + i + " tables");
    }
  }

  @Test
  void threadsInARowDoNotGetInEachOthersWay() throws Throwable {
    long from = word();
    for (int i = 0; i < UnparkedThreads.SLOTS; i++) {
      leave(THREAD + i, parks.word());
    }
    ticks(1);
    for (int i = 0; i < UnparkedThreads.SLOTS; i++) {
      assertEquals(PERIOD, queued(THREAD + i, from));
    }
  }

  @Test
  void whatAnEarlierParkLeftIsNoticed() throws Throwable {
    ticks(1);
    leave(THREAD, parks.word());
    ticks(1);
    long from = word();
    ticks(1);
    assertEquals(UNDIVIDED, queued(THREAD, from));
  }

  @Test
  void whoWasDueLongBeforeIsRunnableSinceThen() throws Throwable {
    for (int late = 1; late < 300; late++) {
      long from = word();
      ticks(4);
      long due = System.nanoTime();
      ticks(late);
      leave(THREAD, due | DUE);
      ticks(2);
      assertEquals((late + 2) * PERIOD, queued(THREAD, from), late + " ticks late");
    }
  }

  @Test
  void whoWasDueBeforeAllThatIsKnownIsNotDivided() throws Throwable {
    long from = word();
    ticks(1);
    long due = System.nanoTime();
    ticks(UnparkedThreads.TICKS - 10);
    leave(THREAD, due | DUE);
    assertEquals((UnparkedThreads.TICKS - 10) * PERIOD, queued(THREAD, from));
    ticks(10);
    assertEquals(UNDIVIDED, queued(THREAD, from));
    leave(THREAD, 1 | DUE);
    assertEquals(UNDIVIDED, queued(THREAD, from));
  }

  @Test
  void withoutATableNothingIsDivided() throws Throwable {
    long from = word();
    leave(THREAD, parks.word());
    ticks(1);
    assertEquals(PERIOD, queued(THREAD, from));
    parks.withoutUnparks();
    assertEquals(UNDIVIDED, queued(THREAD, from));
    assertTrue(parks.unparkTable().isPresent());
    assertEquals(PERIOD, queued(THREAD, from));
  }
}
