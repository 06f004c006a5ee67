package io.jebpf.agent.engine;

import io.jebpf.bpf.WalkCounts;

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
 * @param walks stacks of running threads, by how they came out
 * @param waitWalks the same of waits
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
    WalkCounts walks,
    WalkCounts waitWalks) {

  public static final Counters ZERO =
      new Counters(0, 0, 0, 0, 0, 0, 0, 0, 0, WalkCounts.ofWhole(0), WalkCounts.ofWhole(0));

  public long lost() {
    return lostRingFull + lostScratch + lostMalformed;
  }

  /** What was counted since an earlier moment. */
  public Counters since(Counters earlier) {
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
        walks.since(earlier.walks),
        waitWalks.since(earlier.waitWalks));
  }
}
