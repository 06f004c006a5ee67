package io.jebpf.agent.pprof;

import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * The samples of a profile with a bound on those that carry the ids of a span. A service that
 * answers a thousand requests a second waits in a thousand spans a second, each a sample of its own
 * with 24 bytes that nothing compresses. Above the bound, samples that are alike but for their ids
 * and shorter than a time T are put together:
 *
 * <ul>
 *   <li>one of T or more stays as it is;
 *   <li>of the shorter ones with one stack and the same other labels, that are S together, S / T
 *       stay (at least one), drawn in proportion to their time, and share all that they all had. So
 *       what a stack and its other labels add up to is exact, and a span has, on the average, the
 *       time that it had;
 *   <li>the ids of each are those of a span that was in this very place.
 * </ul>
 *
 * T is the smallest time that keeps to the bound; at 0 nothing is changed. The drawing depends on
 * the seed only. Time and memory in proportion to the samples. Owner: one thread, for one profile.
 */
final class BoundedSpans implements ProfileRows {
  /**
   * The bound: what keeps a profile below 2.5 times its size without ids, by what parts of it take
   * when they are compressed ({@code integration-tests/context-size.sh}): 1,500 bytes whatever is
   * in it, 18 a location, 10 a sample; and 45 more for each sample with ids of its own.
   */
  static final int SAMPLES_MIN = 48;

  private static final int LOCATIONS_PER_SAMPLE = 3;
  private static final int GROUPS_PER_SAMPLE = 5;

  private final ProfileKind kind;
  private final int values;
  private int size;
  private int[] leaves = new int[64];
  private Labels[] labels = new Labels[64];
  private long[] nanos = new long[64];
  private long[] amounts; // values of each sample

  /** Of each sample, the number of those like it that have ids; -1 for one without ids. */
  private int[] groups = new int[64];

  private int groupCount;
  private int without;
  private boolean[] gone = {};
  private long merged;
  private long thresholdNanos;
  private int row = -1;

  /** Sums over the samples of a group that are shorter than a time. */
  private final class Shorter {
    final int[] rows = new int[groupCount];
    final int[] longer = new int[groupCount];
    final long[] sums = new long[groupCount];

    void add(long limit) {
      Arrays.fill(rows, 0);
      Arrays.fill(longer, 0);
      Arrays.fill(sums, 0);
      for (int i = 0; i < size; i++) {
        int group = groups[i];
        if (group >= 0 && nanos[i] < limit) {
          rows[group]++;
          sums[group] += nanos[i];
        } else if (group >= 0) {
          longer[group]++;
        }
      }
    }

    /** How many of the shorter ones stay. */
    int kept(int group, long limit) {
      return rows[group] == 0 ? 0 : (int) Math.max(1, sums[group] / limit);
    }

    /** How many samples with ids there are then. */
    long left(long limit) {
      add(limit);
      long left = 0;
      for (int group = 0; group < groupCount; group++) {
        left += longer[group] + kept(group, limit);
      }
      return left;
    }
  }

  private BoundedSpans(ProfileRows rows, ProfileKind kind) {
    this.kind = kind;
    this.values = rows.values();
    this.amounts = new long[64 * values];
    read(rows);
  }

  /**
   * The samples with as few ids as the bound demands; the same ones when that is no fewer.
   *
   * @param rows before its first sample, and so it is left; those of one stack stand together
   * @param kind what they are samples of
   * @param locations different ones in all stacks
   */
  static ProfileRows of(ProfileRows rows, ProfileKind kind, int locations, long seed) {
    int most = 0;
    while (most <= SAMPLES_MIN && rows.next()) {
      most += hasIds(rows.labels()) ? 1 : 0;
    }
    rows.rewind();
    if (most <= SAMPLES_MIN) {
      return rows;
    }
    BoundedSpans bounded = new BoundedSpans(rows, kind);
    rows.rewind();
    int base = bounded.without + bounded.groupCount;
    long bound =
        Math.max(
            bounded.groupCount, // no fewer than these can be left
            SAMPLES_MIN + locations / LOCATIONS_PER_SAMPLE + base / GROUPS_PER_SAMPLE);
    if (bounded.size - bounded.without <= bound) {
      return rows;
    }
    bounded.keep(bound, new SplittableRandom(seed));
    return bounded;
  }

  private static boolean hasIds(Labels labels) {
    return !labels.get(LabelKey.SPAN_ID).isEmpty() || !labels.get(LabelKey.TRACE_ID).isEmpty();
  }

  private void read(ProfileRows rows) {
    Map<Labels, Integer> known = new HashMap<>(); // groups of this stack
    while (rows.next()) {
      if (size == leaves.length) {
        grow();
      }
      if (size > 0 && leaves[size - 1] != rows.leaf()) {
        known.clear();
      }
      leaves[size] = rows.leaf();
      labels[size] = rows.labels();
      nanos[size] = kind.nanos(rows);
      for (int i = 0; i < values; i++) {
        amounts[size * values + i] = rows.value(i);
      }
      groups[size] = hasIds(labels[size]) ? group(known, labels[size]) : -1;
      without += groups[size] < 0 ? 1 : 0;
      size++;
    }
  }

  private int group(Map<Labels, Integer> known, Labels set) {
    Labels alike = set.with(LabelKey.SPAN_ID, "").with(LabelKey.TRACE_ID, "");
    Integer number = known.putIfAbsent(alike, groupCount);
    return number == null ? groupCount++ : number;
  }

  private void grow() {
    int capacity = 2 * leaves.length;
    leaves = Arrays.copyOf(leaves, capacity);
    labels = Arrays.copyOf(labels, capacity);
    nanos = Arrays.copyOf(nanos, capacity);
    groups = Arrays.copyOf(groups, capacity);
    amounts = Arrays.copyOf(amounts, capacity * values);
  }

  private void keep(long bound, SplittableRandom random) {
    Shorter shorter = new Shorter();
    thresholdNanos = threshold(shorter, bound);
    long left = shorter.left(thresholdNanos);
    merged = size - without - left;
    gone = new boolean[size];
    for (int[] group : shorterRows(shorter)) {
      if (group.length > 1) {
        int kept = shorter.kept(groups[group[0]], thresholdNanos);
        share(group, draw(group, kept, shorter.sums[groups[group[0]]], random));
      }
    }
  }

  /** The smallest T that keeps to the bound, which is not below one sample a group. */
  private long threshold(Shorter shorter, long bound) {
    long low = 0; // leaves too many
    long high = 1;
    for (int i = 0; i < size; i++) {
      high = Math.max(high, nanos[i] + 1);
    }
    while (high < Long.MAX_VALUE / 2 && shorter.left(high) > bound) {
      low = high;
      high *= 2;
    }
    while (high - low > 1) {
      long middle = low + (high - low) / 2;
      if (shorter.left(middle) > bound) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return high;
  }

  /** The samples below T, by group. */
  private List<int[]> shorterRows(Shorter shorter) {
    List<int[]> rows = new ArrayList<>();
    for (int group = 0; group < groupCount; group++) {
      rows.add(new int[shorter.rows[group]]);
    }
    int[] filled = new int[groupCount];
    for (int i = 0; i < size; i++) {
      if (groups[i] >= 0 && nanos[i] < thresholdNanos) {
        rows.get(groups[i])[filled[groups[i]]++] = i;
      }
    }
    return rows;
  }

  /**
   * Draws some of the rows, each with a chance in proportion to its time: the ones that points at
   * equal distances fall on, with all times laid end to end. No row is as long as the distance.
   */
  private int[] draw(int[] from, int count, long sum, SplittableRandom random) {
    int[] drawn = new int[count];
    int found = 0;
    double distance = (double) sum / count;
    double point = random.nextDouble() * distance;
    double end = 0;
    for (int i = 0; i < from.length && found < count; i++) {
      end += nanos[from[i]];
      boolean needed = from.length - i <= count - found; // rounding, or times of 0
      if (end > point || needed) {
        drawn[found++] = from[i];
        point += distance;
      }
    }
    return drawn;
  }

  /** Gives all that the rows have to some of them, in equal parts. */
  private void share(int[] from, int[] among) {
    for (int row : from) {
      gone[row] = true;
    }
    for (int row : among) {
      gone[row] = false;
    }
    for (int value = 0; value < values; value++) {
      long sum = 0;
      for (int row : from) {
        sum += amounts[row * values + value];
      }
      long rest = sum % among.length;
      for (int i = 0; i < among.length; i++) {
        amounts[among[i] * values + value] = sum / among.length + (i < rest ? 1 : 0);
      }
    }
  }

  /** Samples that went into others. */
  long merged() {
    return merged;
  }

  /** T; 0 when nothing had to be put together. */
  long thresholdNanos() {
    return thresholdNanos;
  }

  @Override
  public boolean next() {
    while (++row < size) {
      if (!gone[row] && isAny(row)) {
        return true;
      }
    }
    return false;
  }

  private boolean isAny(int at) {
    for (int i = 0; i < values; i++) {
      if (amounts[at * values + i] > 0) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void rewind() {
    row = -1;
  }

  @Override
  public int leaf() {
    return leaves[row];
  }

  @Override
  public int values() {
    return values;
  }

  @Override
  public long value(int index) {
    return amounts[row * values + index];
  }

  @Override
  public Labels labels() {
    return labels[row];
  }
}
