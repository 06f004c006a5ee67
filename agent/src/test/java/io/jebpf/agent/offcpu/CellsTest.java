package io.jebpf.agent.offcpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class CellsTest {
  private static final long T = 10_000;

  @Test
  void probabilityFollowsTheCells() {
    assertEquals(0, Cells.probability(5, 5, T));
    assertEquals(0.25, Cells.probability(1_000, 3_500, T), 1e-12);
    assertEquals(1, Cells.probability(T, 2 * T, T), 1e-12);
    assertEquals(0.75, Cells.probability(T / 2, 3 * T / 2, T), 1e-12);
    assertEquals(1 - 0.9 * 0.8, Cells.probability(9_000, 12_000, T), 1e-12);
    assertEquals(1, Cells.probability(T - 1, 2 * T + 1, T));
    assertEquals(1, Cells.probability(0, 50 * T, T));
  }

  @Test
  void twoPeriodsAreAlwaysCertain() {
    Random random = new Random(1);
    for (int i = 0; i < 10_000; i++) {
      long start = random.nextInt(1_000_000);
      assertEquals(1, Cells.probability(start, start + 2 * T + random.nextInt(100), T), 1e-9);
    }
  }

  /** The estimator on simulated ticks: what the true sums are, for waits of all kinds of timing. */
  @Test
  void weightsAreUnbiased() {
    long[][] shapes = { // length, from one start to the next, first start
      {1_000, 1_300, 0},
      {3_000, T, 7_000}, // in step with the ticks
      {T / 2, T, 0},
      {T / 2, T, T / 2 + 1},
      {12_345, 14_000, 3},
      {2 * T - 1, 2 * T, 1},
      {50_000, 53_000, 17},
    };
    for (long[] shape : shapes) {
      assertUnbiased(shape[0], shape[1], shape[2]);
    }
  }

  private static void assertUnbiased(long length, long step, long first) {
    Random random = new Random(length ^ step);
    int cells = 400_000;
    long[] ticks = new long[cells];
    for (int i = 0; i < cells; i++) {
      ticks[i] = i * T + random.nextInt((int) T);
    }
    double nanos = 0;
    double waits = 0;
    long truth = 0;
    for (long start = first; start + length < (cells - 2) * T; start += step) {
      truth++;
      long end = start + length;
      boolean met = false;
      for (int cell = (int) (start / T); cell * T < end; cell++) {
        met |= ticks[cell] >= start && ticks[cell] < end;
      }
      if (met) {
        waits += 1 / Cells.probability(start, end, T);
        nanos += length / Cells.probability(start, end, T);
      }
    }
    String shape = length + " every " + step;
    assertTrue(truth > 1000, shape);
    assertEquals(1, waits / truth, 0.01, shape);
    assertEquals(1, nanos / (truth * length), 0.01, shape);
  }
}
