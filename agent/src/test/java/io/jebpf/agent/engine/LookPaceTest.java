package io.jebpf.agent.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** When the mappings are looked at: by hand, in steps of 100 ms as the reader makes them. */
class LookPaceTest {
  private static final long MS = 1_000_000;
  private static final long STEP = 100 * MS;
  private static final long CHEAP = MS / 5;

  /** As with 10,000 threads, three mappings each. */
  private static final long DEAR = 15 * MS;

  /** Cheap ones in a minute. */
  private static final double QUIET_LOOKS = 60_000.0 * MS / LookPace.QUIET_SHARE / CHEAP;

  private final LookPace pace = new LookPace(0);
  private long now;
  private long loads = 40;
  private boolean unknown;

  /** Looks in so many seconds. */
  private int looks(int seconds, long lookNanos, boolean changed) {
    int looks = 0;
    for (long end = now + seconds * 1_000 * MS; now < end; now += STEP) {
      if (pace.isDue(now, loads, unknown, lookNanos)) {
        pace.looked(now, loads, unknown, changed);
        looks++;
      }
    }
    return looks;
  }

  @Test
  void theFirstLookIsForWhatCameBefore() {
    assertFalse(pace.isDue(STEP, loads, false, DEAR));
    assertTrue(pace.isDue(1_500 * MS, loads, false, DEAR), "dear, and wanted");
  }

  @Test
  void cheapLooksAreOftenAtFirstAndSeldomThen() {
    assertTrue(looks(30, CHEAP, false) >= 28);
    assertEquals(QUIET_LOOKS, looks(60, CHEAP, false), 1);
  }

  @Test
  void dearLooksTakeNoMoreThanTheirShare() {
    looks(40, DEAR, false);
    int looks = looks(6_000, DEAR, false);
    assertEquals(6_000_000.0 * MS / LookPace.QUIET_SHARE / DEAR, looks, 1);
  }

  @Test
  void aLibraryIsNoticedAtOnce() {
    looks(40, CHEAP, false);
    loads++;
    now += 2 * STEP; // of the last look
    assertTrue(pace.isDue(now, loads, false, CHEAP));
    pace.looked(now, loads, false, true);
    assertFalse(pace.isDue(now + 10 * STEP, loads, false, CHEAP));
    loads += 2; // loaded and unloaded again
    assertTrue(pace.isDue(now + 10 * STEP, loads, false, CHEAP));
  }

  @Test
  void unknownCodeIsAReasonOnceUnlessItIsFound() {
    looks(40, CHEAP, false);
    unknown = true;
    assertTrue(looks(1, CHEAP, true) >= 4, "each brought something");
    assertEquals(QUIET_LOOKS, looks(60, CHEAP, false), 2, "none did: it is code that no file has");
    unknown = false;
    looks(10, CHEAP, false);
    unknown = true;
    assertEquals(QUIET_LOOKS, looks(60, CHEAP, false), 2, "and stays so");
    looks(4, CHEAP, true); // found
    assertTrue(looks(1, CHEAP, true) >= 4);
  }

  @Test
  void whoSleepsKnowsWhenALookForUnknownCodeIsDue() {
    looks(40, CHEAP, true);
    assertEquals(Long.MAX_VALUE, pace.dueInNanos(now, false, CHEAP));
    long due = pace.dueInNanos(now, true, DEAR);
    assertFalse(pace.isDue(now + due - 1, loads, true, DEAR));
    assertTrue(pace.isDue(now + due, loads, true, DEAR));
    assertTrue(pace.isCurious());
    pace.looked(now + due, loads, true, false);
    assertFalse(pace.isCurious(), "it was in vain");
    assertEquals(Long.MAX_VALUE, pace.dueInNanos(now + due, true, DEAR));
  }
}
