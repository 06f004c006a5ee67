package io.jebpf.agent.offcpu;

/**
 * The odds of the ticker: time is cut into cells of one period, counted from 0 of CLOCK_MONOTONIC,
 * with one tick at a uniformly random place in each. A wait is met unless the tick of each cell it
 * touches falls outside of it. Pure. See docs/adr/0002-off-cpu-cells.md.
 */
final class Cells {
  private Cells() {}

  /**
   * The probability that a wait from {@code start} to {@code end} is met: 1 when it covers a whole
   * cell, which every wait of two periods does; 0 when it is empty.
   */
  static double probability(long start, long end, long period) {
    if (end <= start) {
      return 0;
    }
    long first = Math.floorDiv(start, period);
    long last = Math.floorDiv(end - 1, period);
    if (last - first >= 2) {
      return 1;
    }
    if (first == last) {
      return (double) (end - start) / period;
    }
    long border = last * period;
    double inFirst = (double) (border - start) / period;
    double inLast = (double) (end - border) / period;
    return 1 - (1 - inFirst) * (1 - inLast);
  }
}
