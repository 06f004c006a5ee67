package io.jebpf.agent.offcpu;

/**
 * All figures of the off-CPU side, since its start or between two moments.
 *
 * @param counters of the waits and clocks
 * @param ticks of the ticker
 * @param quietTicks that were left out because no thread had left a CPU
 * @param lateTicks that were left out because the ticker got no CPU
 * @param failedTicks that the kernel refused
 * @param tickNanos spent in the ticker's program
 * @param switchNanos spent at context switches
 * @param listFull switches that did not fit the ticker's list
 * @param clocksFull switches of threads without a clock
 * @param endsLost ends of waits that did not fit the ring
 * @param switchesMissed context switches that the kernel did not tell of, made up for
 * @param pathsWrong kernel stacks by a known path that the kernel's own walk denied
 * @param walkNanos of the tick time, that of walking the stacks which arrived
 * @param parks of virtual threads
 */
public record OffCpuStats(
    OffCpuCounters counters,
    long ticks,
    long quietTicks,
    long lateTicks,
    long failedTicks,
    long tickNanos,
    long switchNanos,
    long listFull,
    long clocksFull,
    long endsLost,
    long switchesMissed,
    long pathsWrong,
    long walkNanos,
    ParkStats parks) {
  public static final OffCpuStats ZERO =
      new OffCpuStats(OffCpuCounters.ZERO, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ParkStats.ZERO);

  public OffCpuStats since(OffCpuStats earlier) {
    return new OffCpuStats(
        counters.since(earlier.counters),
        ticks - earlier.ticks,
        quietTicks - earlier.quietTicks,
        lateTicks - earlier.lateTicks,
        failedTicks - earlier.failedTicks,
        tickNanos - earlier.tickNanos,
        switchNanos - earlier.switchNanos,
        listFull - earlier.listFull,
        clocksFull - earlier.clocksFull,
        endsLost - earlier.endsLost,
        switchesMissed - earlier.switchesMissed,
        pathsWrong - earlier.pathsWrong,
        walkNanos - earlier.walkNanos,
        parks.since(earlier.parks));
  }
}
