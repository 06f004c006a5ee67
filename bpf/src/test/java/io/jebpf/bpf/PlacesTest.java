package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Where in their cells ticks fall, without a kernel: what the odds of waits rest on. */
class PlacesTest {
  private static final long PERIOD = 10_000_000;
  private static final int STRATA = 16;
  private static final int CELLS = 640_000;
  private static final double DEVIATIONS_MAX = 5;

  private final double[] places = new double[CELLS]; // 0 to 1

  @BeforeEach
  void draw() {
    Kernel.runtime();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment drawn = arena.allocate(ValueLayout.JAVA_LONG, CELLS);
      MemorySegment function = Downcall.function(NativeRuntime.helperSymbol("jebpf_places"));
      Downcall.call(function, drawn.address(), CELLS, PERIOD, 20_261_127);
      for (int i = 0; i < CELLS; i++) {
        long place = drawn.getAtIndex(ValueLayout.JAVA_LONG, i);
        assertTrue(place >= 0 && place < PERIOD, place + " in a cell of " + PERIOD);
        places[i] = (double) place / PERIOD;
      }
    }
  }

  @Test
  void ofSixteenEveryOtherCellsEachPartHasOne() {
    for (int first = 0; first + 2 * STRATA <= CELLS; first += 2 * STRATA) {
      for (int parity = 0; parity < 2; parity++) {
        Set<Integer> parts = new HashSet<>();
        for (int i = 0; i < STRATA; i++) {
          parts.add((int) (places[first + parity + 2 * i] * STRATA));
        }
        assertEquals(STRATA, parts.size(), "from cell " + first);
      }
    }
  }

  /** In each cell, whichever of its block it is: nothing with a longer period is favoured. */
  @Test
  void eachPlaceIsUniform() {
    for (int position = 0; position < 2 * STRATA; position++) {
      int count = 0;
      int[] parts = new int[10];
      for (int cell = position; cell < CELLS; cell += 2 * STRATA) {
        parts[(int) (places[cell] * parts.length)]++;
        count++;
      }
      double expected = (double) count / parts.length;
      for (int part : parts) {
        assertEquals(expected, part, DEVIATIONS_MAX * Math.sqrt(expected), "cell " + position);
      }
    }
  }

  /** A wait over the border of two cells is met unless both ticks miss it. */
  @Test
  void neighboursAreIndependent() {
    for (double inFirst = 0.1; inFirst < 1; inFirst += 0.2) {
      for (double inLast = 0.1; inLast < 1; inLast += 0.2) {
        int missed = 0;
        for (int cell = 0; cell + 1 < CELLS; cell++) {
          missed += places[cell] < 1 - inFirst && places[cell + 1] >= inLast ? 1 : 0;
        }
        double expected = CELLS * (1 - inFirst) * (1 - inLast);
        assertEquals(expected, missed, DEVIATIONS_MAX * Math.sqrt(expected));
      }
    }
  }

  /** What is at the same place of each cell is met with a third of the error of chance. */
  @Test
  void whatIsInStepIsMetAsOftenAsItShould() {
    int stretch = 640;
    double squares = 0;
    for (int from = 0; from + stretch <= CELLS; from += stretch) {
      int met = 0;
      for (int cell = from; cell < from + stretch; cell++) {
        met += places[cell] >= 0.27 && places[cell] < 0.67 ? 1 : 0;
      }
      squares += Math.pow(met - 0.4 * stretch, 2);
    }
    double deviation = Math.sqrt(squares / (CELLS / stretch));
    double ofChance = Math.sqrt(stretch * 0.4 * 0.6);
    assertTrue(deviation < 0.4 * ofChance, deviation + " of " + ofChance);
  }
}
