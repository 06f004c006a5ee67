package io.jebpf.agent.offcpu;

/**
 * All figures of parks of virtual threads, since the start or between two moments.
 *
 * @param on whether they are looked at
 * @param totals what the profiles say
 * @param met parks that ticks fell into
 * @param lost of those, stacks that could not be taken or written
 * @param programNanos spent in the kernel program for them
 * @param thinNanos parks shorter than this were taken by chance, at the end
 */
public record ParkStats(
    boolean on, ParkTotals totals, long met, long lost, long programNanos, long thinNanos) {
  public static final ParkStats ZERO = new ParkStats(false, ParkTotals.ZERO, 0, 0, 0, 0);

  public ParkStats since(ParkStats earlier) {
    return new ParkStats(
        on,
        totals.since(earlier.totals),
        met - earlier.met,
        lost - earlier.lost,
        programNanos - earlier.programNanos,
        thinNanos);
  }
}
