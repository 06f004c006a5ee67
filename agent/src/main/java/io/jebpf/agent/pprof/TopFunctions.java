package io.jebpf.agent.pprof;

import io.jebpf.agent.window.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** The functions of a profile by the time they took themselves and with all they called. */
public final class TopFunctions {
  /**
   * One function.
   *
   * @param selfNanos as the leaf of stacks
   * @param totalNanos anywhere in stacks, counted once in each
   * @param wholeNanos of all stacks, the same in each entry
   */
  public record Entry(
      String function, String file, long selfNanos, long totalNanos, long wholeNanos) {}

  private TopFunctions() {}

  /** The first by their own time, then by the total; at most {@code limit}. */
  public static List<Entry> of(Window window, ProfileKind kind, int limit) {
    long[] self = new long[window.functions()];
    long[] total = new long[window.functions()];
    int[] seenIn = new int[window.functions()];
    Arrays.fill(seenIn, -1);
    long whole = 0;
    ProfileRows rows = kind.rows(window);
    for (int row = 0; rows.next(); row++) {
      long nanos = kind.nanos(rows);
      whole += nanos;
      int leaf = rows.leaf();
      for (int node = leaf; node != Window.ROOT; node = window.parent(node)) {
        int function = window.functionOf(window.location(node));
        self[function] += node == leaf ? nanos : 0;
        total[function] += seenIn[function] == row ? 0 : nanos;
        seenIn[function] = row;
      }
    }
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < self.length; i++) {
      if (total[i] > 0) {
        String name = window.functionName(i);
        entries.add(new Entry(name, window.functionFile(i), self[i], total[i], whole));
      }
    }
    entries.sort(
        Comparator.comparingLong(Entry::selfNanos)
            .thenComparingLong(Entry::totalNanos)
            .reversed()
            .thenComparing(Entry::function));
    return List.copyOf(entries.subList(0, Math.min(limit, entries.size())));
  }
}
