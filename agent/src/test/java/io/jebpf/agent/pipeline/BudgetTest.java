package io.jebpf.agent.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class BudgetTest {
  private static final long SECOND = 1_000_000_000L;
  private final Budget onePercent = new Budget(10_000);

  @Test
  void withinTheBudgetTheRateStays() {
    assertEquals(99, onePercent.next(99, 99, SECOND / 200, SECOND));
  }

  @Test
  void pastItTheRateFallsInProportion() {
    assertEquals(449, onePercent.next(999, 999, SECOND / 50, SECOND));
    assertEquals(1, onePercent.next(999, 999, 100 * SECOND, SECOND));
    assertEquals(1, onePercent.next(1, 1, SECOND, SECOND), "never to nothing");
  }

  @Test
  void itRisesSlowlyAndNotPastWhatIsAsked() {
    assertEquals(125, onePercent.next(999, 100, SECOND / 500, SECOND));
    assertEquals(110, onePercent.next(110, 100, SECOND / 500, SECOND));
    assertEquals(2, onePercent.next(99, 1, 0, SECOND));
  }

  @Test
  void aPauseIsAPause() {
    assertEquals(0, onePercent.next(0, 99, SECOND, SECOND));
    assertEquals(99, onePercent.next(99, 0, 0, SECOND));
  }

  /** Cost in proportion to the rate, twice the budget at the rate asked for. */
  @Test
  void itSettlesBelowTheBudget() {
    int rate = 1000;
    for (int second = 0; second < 60; second++) {
      rate = onePercent.next(1000, rate, rate * (SECOND / 50) / 1000, SECOND);
      assertTrue(second < 3 || rate <= 500, "second " + second + ": " + rate + " Hz");
    }
    assertTrue(rate >= 250, rate + " Hz");
  }
}
