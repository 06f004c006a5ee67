package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which parks are taken, without a kernel: threads that park all the time, tick by tick. */
class ParksTest {
  private static final long PERIOD = 10_000_000;
  private static final long THIN = 37 * PERIOD / 2;
  private static final int TICKS = 2_000;
  private static final int THREADS = 100;
  private static final long FIRST_ID = 31;

  private final Parks parks = parks();
  private final MethodHandle function = parks.function();
  private final long begin = parks.word() & ~1L;

  private static Parks parks() {
    Parks parks = new Parks(Kernel.runtime().kernel(), -1); // no program that could be run
    parks.open(THIN);
    return parks;
  }

  /** As if no virtual thread had ever parked here: else tickers do not sleep. */
  @AfterEach
  void forget() {
    word(0);
  }

  @SuppressWarnings("restricted")
  private void word(long nanos) {
    MemorySegment.ofAddress(parks.address())
        .reinterpret(Long.BYTES)
        .set(ValueLayout.JAVA_LONG, 0, nanos);
  }

  /** Parks of a thread, one after the other, each of so many ticks: how many are taken. */
  private long taken(long thread, int ticks, long thin) throws Throwable {
    long before = parks.taken();
    for (int tick = 0; tick + ticks <= TICKS; tick += ticks) {
      parks.thin(thin); // which is doubled when many are taken in a tick; here none begins
      long parked = begin + tick * PERIOD;
      word(parked + ticks * PERIOD);
      long stood = (long) function.invokeExact(parks.address(), thread, parked, 0L, 0L);
      assertEquals(ticks * PERIOD, stood);
    }
    return parks.taken() - before;
  }

  /** By chance it would be 108, give or take 10. */
  @ParameterizedTest(name = "parks of {0} ticks")
  @ValueSource(ints = {1, 2})
  void aThreadThatIsAlwaysParkedIsTakenOnceInEachStretch(int ticks) throws Throwable {
    double stretches = (double) TICKS * PERIOD / THIN;
    long all = 0;
    for (int i = 0; i < THREADS; i++) {
      long taken = taken(FIRST_ID + i, ticks, THIN);
      // At both ends a part of a stretch; and two points may lie in one park.
      assertEquals(stretches, taken, 4, "of thread " + i);
      all += taken;
    }
    assertEquals(1, all / (stretches * THREADS), 0.015, "of all threads");
  }

  @Test
  void aParkOfAWholeStretchIsAlwaysTaken() throws Throwable {
    assertEquals(TICKS / 4, taken(FIRST_ID, 4, 4 * PERIOD));
  }

  /** A thread that parks in step with the stretches is not met in each, nor in none. */
  @Test
  void nothingIsInStepWithTheStretches() throws Throwable {
    long thin = 20 * PERIOD;
    long before = parks.taken();
    int parked = 0;
    for (int i = 0; i < THREADS; i++) {
      for (long at = 0; at < TICKS * PERIOD; at += thin, parked++) {
        parks.thin(thin);
        word(begin + at + PERIOD);
        long stood = (long) function.invokeExact(parks.address(), FIRST_ID + i, begin + at, 0L, 0L);
        assertEquals(PERIOD, stood);
      }
    }
    double share = (parks.taken() - before) / (double) parked;
    assertTrue(share > 0.04 && share < 0.06, "taken: " + share + " instead of 1/20");
  }
}
