package io.jebpf.symbolizer.unwind;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Collects rows in rising order of their starts, merging equal neighbours. */
final class UnwindTableBuilder {
  /** JEBPF_TABLE_ROWS_MAX: what the kernel side takes. */
  static final int ROWS_MAX = 1 << 20;

  /** JEBPF_RULES_MAX, shared by all tables there. */
  static final int RULES_MAX = 8192;

  private final List<UnwindRule> rules = new ArrayList<>();
  private final Map<UnwindRule, Integer> indexes = new HashMap<>();
  private int[] starts;
  private char[] ruleIndexes;
  private int rows;
  private UnwindRule lastRule = UnwindRule.NONE;
  private int lastIndex;

  UnwindTableBuilder(int rowsExpected) {
    int capacity = Math.max(16, Math.min(rowsExpected, ROWS_MAX));
    starts = new int[capacity];
    ruleIndexes = new char[capacity];
    rules.add(UnwindRule.NONE);
    indexes.put(UnwindRule.NONE, 0);
  }

  /** From {@code start} on this rule holds. Starts never fall; an equal one replaces. */
  void add(long start, UnwindRule rule) {
    int index = index(rule);
    if (rows > 0 && starts[rows - 1] == (int) start) {
      rows--;
    }
    if (rows == 0 ? index == 0 : ruleIndexes[rows - 1] == index) {
      return;
    }
    if (rows == starts.length) {
      if (rows == ROWS_MAX) {
        return; // the compiler asks hasRoom first
      }
      int larger = Math.min(ROWS_MAX, rows + (rows >> 1));
      starts = Arrays.copyOf(starts, larger);
      ruleIndexes = Arrays.copyOf(ruleIndexes, larger);
    }
    starts[rows] = (int) start;
    ruleIndexes[rows] = (char) index;
    rows++;
  }

  /** Whether a function of so many rows, and the gaps around it, still fit. */
  boolean hasRoom(int more) {
    return rows + more <= ROWS_MAX;
  }

  private int index(UnwindRule rule) {
    if (rule == lastRule) { // the compiler gives one object for equal rules, mostly
      return lastIndex;
    }
    Integer known = indexes.get(rule);
    if (known == null) {
      if (rules.size() == RULES_MAX) {
        return 0;
      }
      known = rules.size();
      rules.add(rule);
      indexes.put(rule, known);
    }
    lastRule = rule;
    lastIndex = known;
    return known;
  }

  UnwindTable build(int functions, int skipped) {
    boolean fits = rows > starts.length / 4 * 3; // a copy would cost more than it saves
    return new UnwindTable(
        fits ? starts : Arrays.copyOf(starts, rows),
        fits ? ruleIndexes : Arrays.copyOf(ruleIndexes, rows),
        rows,
        List.copyOf(rules),
        functions,
        skipped);
  }
}
