package io.jebpf.agent.pipeline;

import io.jebpf.agent.history.Mark;
import io.jebpf.agent.offcpu.ClockTotals;
import io.jebpf.agent.offcpu.OffCpuCounters;
import io.jebpf.agent.offcpu.OffCpuStats;
import io.jebpf.agent.offcpu.ParkStats;
import io.jebpf.agent.offcpu.ParkTotals;
import io.jebpf.agent.pipeline.WindowReport.Measured;
import io.jebpf.agent.pprof.QualityComments;
import io.jebpf.bpf.WalkCounts;

/** The quality data of a window's waits, as comments of their profiles. Pure. */
final class OffCpuReport {
  private OffCpuReport() {}

  /** Of the time in the kernel programs, that of samples of running threads. */
  static long samplingNanos(Measured measured) {
    OffCpuStats offCpu = measured.offCpu();
    return measured.counters().programNanos()
        - offCpu.tickNanos()
        - offCpu.switchNanos()
        - offCpu.parks().programNanos();
  }

  static void add(QualityComments comments, Measured measured, long budgetMillionths) {
    Mark begin = measured.begin();
    Mark end = measured.end();
    OffCpuStats stats = measured.offCpu();
    OffCpuCounters waits = stats.counters();
    ClockTotals exact = waits.exact();
    ClockTotals estimated = waits.estimated();
    comments
        .fact(QualityComments.TICK_NANOS, Long.toString(end.tickNanos()))
        .fact(QualityComments.TICK_ASKED_NANOS, Long.toString(end.askedTickNanos()));
    long whole = Budget.nanos(end.nanos() - begin.nanos(), budgetMillionths);
    if (whole > 0 && stats.switchNanos() > whole) {
      comments.fact(
          QualityComments.BUDGET,
          "exceeded: context switches alone take more; raise budget, or set offcpu=0");
    } else if (end.tickNanos() > end.askedTickNanos()) {
      comments.fact(
          QualityComments.BUDGET, "interval raised to keep the programs within the budget");
    }
    comments
        .fact(QualityComments.THREADS, Long.toString(waits.threads()))
        .sum(QualityComments.SWITCHES, waits.switches())
        .sum(QualityComments.TICKS, stats.ticks())
        .sumUnlessZero(QualityComments.SWITCHES_MISSED, stats.switchesMissed())
        .sumUnlessZero(QualityComments.KERNEL_PATHS_WRONG, stats.pathsWrong())
        .sumUnlessZero(QualityComments.TICKS_QUIET, stats.quietTicks())
        .sumUnlessZero(QualityComments.TICKS_LATE, stats.lateTicks())
        .sumUnlessZero(QualityComments.TICKS_FAILED, stats.failedTicks())
        .sum(QualityComments.WAITS_MET, waits.met())
        .sum(QualityComments.WAITS, waits.waits())
        .fact(QualityComments.WAITS_OPEN, Long.toString(waits.open()))
        .sum(QualityComments.WAITS_LOST, waits.dropped() + stats.listFull())
        .sumUnlessZero(QualityComments.WAITS_ENDS_LOST, waits.endsLost())
        .sumUnlessZero(
            QualityComments.WAITS_OVERFLOWED, end.waitsOverflowed() - begin.waitsOverflowed())
        .sumUnlessZero(QualityComments.CLOCKS_MISSING, stats.clocksFull())
        .sum(QualityComments.RUNNING_EXACT_NANOS, exact.running())
        .sum(QualityComments.RUNNABLE_EXACT_NANOS, exact.runnable())
        .sum(QualityComments.BLOCKED_EXACT_NANOS, exact.blocked())
        .sum(QualityComments.DISK_EXACT_NANOS, exact.disk())
        .sum(QualityComments.RUNNABLE_ESTIMATED_NANOS, estimated.runnable())
        .sum(QualityComments.BLOCKED_ESTIMATED_NANOS, estimated.blocked())
        .sum(QualityComments.DISK_ESTIMATED_NANOS, estimated.disk())
        .sum(QualityComments.IDLE_NANOS, waits.idleNanos())
        .sumUnlessZero(QualityComments.NOT_SAMPLED_NANOS, waits.notSampledNanos())
        .sum(QualityComments.TICK_PROGRAM_NANOS, stats.tickNanos())
        .sum(QualityComments.SWITCH_PROGRAM_NANOS, stats.switchNanos());
    WalkCounts walks = measured.counters().waitWalks();
    walks.each(
        (name, count) -> comments.sumUnlessZero(QualityComments.WAIT_WALKS_PREFIX + name, count));
    comments.sum(QualityComments.WAIT_WALKS_WHOLE, walks.whole());
    if (stats.parks().on()) {
      addParks(comments, stats.parks());
    }
  }

  private static void addParks(QualityComments comments, ParkStats parks) {
    ParkTotals totals = parks.totals();
    comments
        .fact(QualityComments.PARK_THIN_NANOS, Long.toString(parks.thinNanos()))
        .sum(QualityComments.PARKS_MET, parks.met())
        .sum(QualityComments.PARKS_TAKEN, totals.taken())
        .sum(QualityComments.PARKS, totals.parks())
        .sumUnlessZero(QualityComments.PARKS_LOST, parks.lost())
        .sumUnlessZero(QualityComments.PARKS_CUT, totals.cut())
        .sumUnlessZero(QualityComments.PARKS_UNDIVIDED, totals.undivided())
        .sum(QualityComments.PARKED_NANOS, totals.parkedNanos())
        .sum(QualityComments.QUEUED_NANOS, totals.queuedNanos())
        .sum(QualityComments.PARKED_IDLE_NANOS, totals.idleNanos())
        .sum(QualityComments.PARK_PROGRAM_NANOS, parks.programNanos());
  }
}
