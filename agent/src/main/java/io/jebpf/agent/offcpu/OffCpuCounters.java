package io.jebpf.agent.offcpu;

/**
 * What the off-CPU side has counted since it started, or between two moments.
 *
 * @param met waits whose stack was taken
 * @param waits how many waits there were by estimate, from those that were met
 * @param dropped met waits for which there was no room
 * @param endsLost met waits whose end did not arrive
 * @param open met waits that go on
 * @param nodes raw frames held for them
 * @param threads threads alive at the last reading of the clocks
 * @param switches times a thread left its CPU
 * @param idleNanos of the estimated time, that of idle waits
 * @param notSampledNanos time by the exact clocks, of threads that are not idle, beyond what the
 *     waits that were met can stand for
 * @param estimated time off CPU by estimate
 * @param exact time by the exact clocks, as of their last reading
 */
public record OffCpuCounters(
    long met,
    long waits,
    long dropped,
    long endsLost,
    long open,
    long nodes,
    long threads,
    long switches,
    long idleNanos,
    long notSampledNanos,
    ClockTotals estimated,
    ClockTotals exact) {
  public static final OffCpuCounters ZERO =
      new OffCpuCounters(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ClockTotals.ZERO, ClockTotals.ZERO);

  /** What was counted since an earlier moment; what is a state and no count stays as it is. */
  public OffCpuCounters since(OffCpuCounters earlier) {
    return new OffCpuCounters(
        met - earlier.met,
        waits - earlier.waits,
        dropped - earlier.dropped,
        endsLost - earlier.endsLost,
        open,
        nodes,
        threads,
        switches - earlier.switches,
        idleNanos - earlier.idleNanos,
        notSampledNanos - earlier.notSampledNanos,
        estimated.since(earlier.estimated),
        exact.since(earlier.exact));
  }
}
