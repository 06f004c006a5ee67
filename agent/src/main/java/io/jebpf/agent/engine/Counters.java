package io.jebpf.agent.engine;

import io.jebpf.bpf.WalkEnd;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * What the engine has counted since it started, or between two moments. Nanoseconds and numbers.
 *
 * @param events clock events seen on all CPUs, whatever ran
 * @param samples samples that hit this process, lost ones included
 * @param lostRingFull lost because the reader was late
 * @param lostScratch lost because scratch memory was busy
 * @param lostMalformed lost because a record could not be read
 * @param kernelStacksMissing kernel stacks that could not be read
 * @param programNanos time spent in the kernel programs
 * @param walkNanos of it, time spent walking the stacks that arrived
 * @param weightNanos CPU time that all samples stand for, lost ones included
 * @param walks walks by {@link WalkEnd}
 */
public record Counters(
    long events,
    long samples,
    long lostRingFull,
    long lostScratch,
    long lostMalformed,
    long kernelStacksMissing,
    long programNanos,
    long walkNanos,
    long weightNanos,
    List<Long> walks) {

  public static final Counters ZERO =
      new Counters(0, 0, 0, 0, 0, 0, 0, 0, 0, Collections.nCopies(WalkEnd.values().length, 0L));

  public Counters {
    walks = List.copyOf(walks);
    if (walks.size() != WalkEnd.values().length) {
      throw new IllegalArgumentException(walks.size() + " reasons, not " + WalkEnd.values().length);
    }
  }

  public long lost() {
    return lostRingFull + lostScratch + lostMalformed;
  }

  public long walks(WalkEnd end) {
    return walks.get(end.ordinal());
  }

  /** How a reason is named in comments and in the MBean. */
  public static String slug(WalkEnd end) {
    return end.name().toLowerCase(Locale.ROOT);
  }

  /** What was counted since an earlier moment. */
  public Counters since(Counters earlier) {
    List<Long> ends = new ArrayList<>();
    for (int i = 0; i < walks.size(); i++) {
      ends.add(walks.get(i) - earlier.walks.get(i));
    }
    return new Counters(
        events - earlier.events,
        samples - earlier.samples,
        lostRingFull - earlier.lostRingFull,
        lostScratch - earlier.lostScratch,
        lostMalformed - earlier.lostMalformed,
        kernelStacksMissing - earlier.kernelStacksMissing,
        programNanos - earlier.programNanos,
        walkNanos - earlier.walkNanos,
        weightNanos - earlier.weightNanos,
        ends);
  }
}
