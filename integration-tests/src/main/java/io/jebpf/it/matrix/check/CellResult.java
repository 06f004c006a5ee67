package io.jebpf.it.matrix.check;

import java.util.Locale;

/**
 * What one run of a cell gave, under one profiler.
 *
 * @param status {@code ok}, or why there are no figures
 * @param samples of the load's threads
 * @param whole of these, to the root or cut by the depth limit alone
 * @param byDepth of these, cut by the depth limit
 * @param pairs neighbouring Java frames judged
 * @param impossible of these, pairs that the program cannot produce
 * @param unknown of these, pairs that could not be judged
 * @param lost samples lost, of the whole process
 * @param waits stacks of waits that the kernel walked, of all threads; 0 of a run without
 * @param waitsWhole of these, from leaf to root, or cut by the depth limit alone
 */
record CellResult(
    Cell cell,
    String profiler,
    String status,
    long samples,
    long whole,
    long byDepth,
    long pairs,
    long impossible,
    long unknown,
    long lost,
    long waits,
    long waitsWhole) {
  static final String OK = "ok";
  static final double WHOLE_MIN = 0.999;

  private static final int WAITS_BROKEN_MAX = 2; // and 0.1 % of all cells together
  private static final int FIELDS = 12; // of a line

  static CellResult without(Cell cell, String profiler, String why) {
    return new CellResult(cell, profiler, why, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  static CellResult of(Cell cell, String profiler, StackCheck check, long lost) {
    return of(cell, profiler, check, lost, 0, 0);
  }

  static CellResult of(
      Cell cell, String profiler, StackCheck check, long lost, long waits, long waitsWhole) {
    return new CellResult(
        cell,
        profiler,
        check.samples() == 0 ? "no samples" : OK,
        check.samples(),
        check.whole(),
        check.byDepth(),
        check.pairs(),
        check.impossiblePairs(),
        check.unknownPairs(),
        lost,
        waits,
        waitsWhole);
  }

  boolean isOk() {
    return status.equals(OK);
  }

  boolean passes() {
    return isOk() && whole >= WHOLE_MIN * samples && impossible == 0 && lost == 0 && waitsPass();
  }

  /** A cell has some hundred waits: two of them may be broken. */
  boolean waitsPass() {
    return waits - waitsWhole <= Math.max(WAITS_BROKEN_MAX, (1 - WHOLE_MIN) * waits);
  }

  double share() {
    return samples == 0 ? 0 : (double) whole / samples;
  }

  /** One line of the results' file. */
  String line() {
    return String.join(
        "\t",
        cell.name(),
        profiler,
        status,
        Long.toString(samples),
        Long.toString(whole),
        Long.toString(byDepth),
        Long.toString(pairs),
        Long.toString(impossible),
        Long.toString(unknown),
        Long.toString(lost),
        Long.toString(waits),
        Long.toString(waitsWhole));
  }

  static CellResult parse(String line) {
    String[] f = line.split("\t");
    long[] n = new long[FIELDS]; // lines of before waits were judged are shorter
    for (int i = 3; i < f.length; i++) {
      n[i] = Long.parseLong(f[i]);
    }
    return new CellResult(
        Cell.parse(f[0]), f[1], f[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11]);
  }

  /** For a table: percent whole; impossible pairs, losses and broken waits where there are any. */
  String text() {
    if (!isOk()) {
      return status;
    }
    String percent = String.format(Locale.ROOT, "%.2f", Math.floor(share() * 10_000) / 100);
    return percent.replaceAll("\\.?0+$", "")
        + (impossible == 0 ? "" : " ✗" + impossible)
        + (lost == 0 ? "" : " lost " + lost)
        + (waitsPass() ? "" : " waits " + waitsWhole + " of " + waits);
  }
}
