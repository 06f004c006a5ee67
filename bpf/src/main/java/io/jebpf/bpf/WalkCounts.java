package io.jebpf.bpf;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.ObjLongConsumer;

/**
 * Walked stacks by how they came out. A stack has one end and may have gaps besides.
 *
 * @param ends walks by {@link WalkEnd}, in its order
 * @param unread those of them that ended in {@link WalkEnd#READ_FAULT} by {@link WalkUnread}
 * @param gaps stacks with a gap by {@link WalkGap}, in its order
 * @param whole stacks from leaf to root without a gap but one that the depth limit made
 */
public record WalkCounts(List<Long> ends, List<Long> unread, List<Long> gaps, long whole) {
  private static final String GAP_PREFIX = "gap_";
  private static final String UNREAD_PREFIX = "read_fault_";

  public WalkCounts {
    ends = List.copyOf(ends);
    unread = List.copyOf(unread);
    gaps = List.copyOf(gaps);
    if (ends.size() != WalkEnd.values().length
        || unread.size() != WalkUnread.values().length
        || gaps.size() != WalkGap.values().length) {
      throw new IllegalArgumentException(
          ends.size() + " ends, " + unread.size() + " unread, " + gaps.size() + " gaps");
    }
  }

  /** {@code count} whole stacks. */
  public static WalkCounts ofWhole(long count) {
    List<Long> ends = new ArrayList<>();
    for (WalkEnd end : WalkEnd.values()) {
      ends.add(end == WalkEnd.ROOT ? count : 0);
    }
    return new WalkCounts(
        ends,
        Collections.nCopies(WalkUnread.values().length, 0L),
        Collections.nCopies(WalkGap.values().length, 0L),
        count);
  }

  /** Of running threads, in what {@link KernelPrograms#stats()} returned. */
  public static WalkCounts ofSamples(long[] stats) {
    return of(
        stats,
        KernelStat.END_FIRST,
        KernelStat.UNREAD_FIRST,
        KernelStat.GAP_FIRST,
        KernelStat.WHOLE);
  }

  /** Of waits, in what {@link KernelPrograms#stats()} returned. */
  public static WalkCounts ofWaits(long[] stats) {
    return of(
        stats,
        KernelStat.WAIT_END_FIRST,
        KernelStat.WAIT_UNREAD_FIRST,
        KernelStat.WAIT_GAP_FIRST,
        KernelStat.WAIT_WHOLE);
  }

  private static WalkCounts of(
      long[] stats,
      KernelStat firstEnd,
      KernelStat firstUnread,
      KernelStat firstGap,
      KernelStat whole) {
    List<Long> ends = new ArrayList<>();
    for (WalkEnd end : WalkEnd.values()) {
      ends.add(stats[firstEnd.index() + end.index()]);
    }
    List<Long> unread = new ArrayList<>();
    for (WalkUnread what : WalkUnread.values()) {
      unread.add(what.of(stats, firstUnread));
    }
    List<Long> gaps = new ArrayList<>();
    for (WalkGap gap : WalkGap.values()) {
      gaps.add(gap.of(stats, firstGap));
    }
    return new WalkCounts(ends, unread, gaps, whole.of(stats));
  }

  public long end(WalkEnd end) {
    return ends.get(end.ordinal());
  }

  public long unread(WalkUnread what) {
    return unread.get(what.ordinal());
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

  /** Each end, what could not be read, and each gap under its name in comments and in the MBean. */
  public void each(ObjLongConsumer<String> to) {
    for (WalkEnd end : WalkEnd.values()) {
      to.accept(end.name().toLowerCase(Locale.ROOT), end(end));
    }
    for (WalkUnread what : WalkUnread.values()) {
      to.accept(UNREAD_PREFIX + what.name().toLowerCase(Locale.ROOT), unread(what));
    }
    for (WalkGap gap : WalkGap.values()) {
      to.accept(GAP_PREFIX + gap.name().toLowerCase(Locale.ROOT), gap(gap));
    }
  }

  /** What was counted since an earlier moment. */
  public WalkCounts since(WalkCounts earlier) {
    return new WalkCounts(
        difference(ends, earlier.ends),
        difference(unread, earlier.unread),
        difference(gaps, earlier.gaps),
        whole - earlier.whole);
  }

  private static List<Long> difference(List<Long> now, List<Long> earlier) {
    List<Long> result = new ArrayList<>();
    for (int i = 0; i < now.size(); i++) {
      result.add(now.get(i) - earlier.get(i));
    }
    return result;
  }
}
