package io.jebpf.bpf;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ObjLongConsumer;

/**
 * Walked stacks by how they came out. A stack has one end and may have gaps besides.
 *
 * @param ends walks by {@link WalkEnd}, in its order
 * @param gaps stacks with a gap by {@link WalkGap}, in its order
 * @param whole stacks from leaf to root without a gap but one that the depth limit made
 */
public record WalkCounts(List<Long> ends, List<Long> gaps, long whole) {
  private static final String GAP_PREFIX = "gap_";

  public WalkCounts {
    ends = List.copyOf(ends);
    gaps = List.copyOf(gaps);
    if (ends.size() != WalkEnd.values().length || gaps.size() != WalkGap.values().length) {
      throw new IllegalArgumentException(ends.size() + " ends and " + gaps.size() + " gaps");
    }
  }

  /** {@code count} whole stacks. */
  public static WalkCounts ofWhole(long count) {
    List<Long> ends = new ArrayList<>();
    for (WalkEnd end : WalkEnd.values()) {
      ends.add(end == WalkEnd.ROOT ? count : 0);
    }
    List<Long> gaps = new ArrayList<>();
    for (WalkGap gap : WalkGap.values()) {
      gaps.add(0L);
    }
    return new WalkCounts(ends, gaps, count);
  }

  /** Of running threads, in what {@link KernelPrograms#stats()} returned. */
  public static WalkCounts ofSamples(long[] stats) {
    return of(stats, KernelStat.END_FIRST, KernelStat.GAP_FIRST, KernelStat.WHOLE);
  }

  /** Of waits, in what {@link KernelPrograms#stats()} returned. */
  public static WalkCounts ofWaits(long[] stats) {
    return of(stats, KernelStat.WAIT_END_FIRST, KernelStat.WAIT_GAP_FIRST, KernelStat.WAIT_WHOLE);
  }

  private static WalkCounts of(
      long[] stats, KernelStat firstEnd, KernelStat firstGap, KernelStat whole) {
    List<Long> ends = new ArrayList<>();
    for (WalkEnd end : WalkEnd.values()) {
      ends.add(stats[firstEnd.index() + end.index()]);
    }
    List<Long> gaps = new ArrayList<>();
    for (WalkGap gap : WalkGap.values()) {
      gaps.add(gap.of(stats, firstGap));
    }
    return new WalkCounts(ends, gaps, whole.of(stats));
  }

  public long end(WalkEnd end) {
    return ends.get(end.ordinal());
  }

  public long gap(WalkGap gap) {
    return gaps.get(gap.ordinal());
  }

  public long total() {
    return ends.stream().mapToLong(Long::longValue).sum();
  }

  /** Whole stacks in percent; 100 when there were none. */
  public double wholePercent() {
    return total() == 0 ? 100 : 100.0 * whole / total();
  }

  /** Each end and each gap under its name in comments and in the MBean. */
  public void each(ObjLongConsumer<String> to) {
    for (WalkEnd end : WalkEnd.values()) {
      to.accept(end.name().toLowerCase(Locale.ROOT), end(end));
    }
    for (WalkGap gap : WalkGap.values()) {
      to.accept(GAP_PREFIX + gap.name().toLowerCase(Locale.ROOT), gap(gap));
    }
  }

  /** What was counted since an earlier moment. */
  public WalkCounts since(WalkCounts earlier) {
    return new WalkCounts(
        difference(ends, earlier.ends), difference(gaps, earlier.gaps), whole - earlier.whole);
  }

  private static List<Long> difference(List<Long> now, List<Long> earlier) {
    List<Long> result = new ArrayList<>();
    for (int i = 0; i < now.size(); i++) {
      result.add(now.get(i) - earlier.get(i));
    }
    return result;
  }
}
