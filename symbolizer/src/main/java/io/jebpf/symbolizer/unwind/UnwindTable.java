package io.jebpf.symbolizer.unwind;

import java.util.Arrays;
import java.util.List;

/**
 * The unwind rules of one object. Row i holds from {@code start(i)} up to {@code start(i + 1)}, the
 * last row to the end; neighbours differ, gaps are rows with rule 0 ({@link UnwindRule#NONE}).
 * Immutable; 6 bytes a row.
 *
 * <p>Starts are ELF virtual addresses as unsigned 32-bit numbers. Code above 4 GiB (no linker
 * places any there unless told to) has no rows and is counted in {@link #skipped}.
 */
public final class UnwindTable {
  /** The table of an object without unwind information: no rows, so no rule anywhere. */
  public static final UnwindTable EMPTY =
      new UnwindTable(new int[0], new char[0], 0, List.of(UnwindRule.NONE), 0, 0);

  private final int[] starts;
  private final char[] ruleIndexes;
  private final int rows;
  private final List<UnwindRule> rules;
  private final int functions;
  private final int skipped;

  UnwindTable(
      int[] starts,
      char[] ruleIndexes,
      int rows,
      List<UnwindRule> rules,
      int functions,
      int skipped) {
    this.starts = starts;
    this.ruleIndexes = ruleIndexes;
    this.rows = rows;
    this.rules = rules;
    this.functions = functions;
    this.skipped = skipped;
  }

  public int rows() {
    return rows;
  }

  /** First virtual address of a row, unsigned. */
  public int start(int row) {
    return starts[row];
  }

  /** Index into {@link #rules} of a row's rule. */
  public int rule(int row) {
    return ruleIndexes[row];
  }

  /** The distinct rules; the first is {@link UnwindRule#NONE}. */
  public List<UnwindRule> rules() {
    return rules;
  }

  /** Function descriptions (FDEs) that were read. */
  public int functions() {
    return functions;
  }

  /** Function descriptions that were left out: damaged, outside the code, or over a limit. */
  public int skipped() {
    return skipped;
  }

  /** The row starts, as the kernel side wants them. A copy. */
  public int[] starts() {
    return Arrays.copyOf(starts, rows);
  }

  /** The rule that holds at a virtual address. */
  public UnwindRule at(long virtualAddress) {
    if (virtualAddress >>> 32 != 0) {
      return UnwindRule.NONE;
    }
    int low = 0;
    int high = rows;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if ((starts[middle] & 0xffff_ffffL) <= virtualAddress) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low == 0 ? UnwindRule.NONE : rules.get(ruleIndexes[low - 1]);
  }
}
