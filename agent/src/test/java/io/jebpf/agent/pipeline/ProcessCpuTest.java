package io.jebpf.agent.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jebpf.agent.offcpu.ClockTotals;
import io.jebpf.agent.offcpu.OffCpuCounters;
import io.jebpf.agent.offcpu.OffCpuStats;
import io.jebpf.agent.offcpu.ParkStats;
import org.junit.jupiter.api.Test;

/** The kernel's figure is asked for only where it matters; both grow in steps of their own. */
class ProcessCpuTest {
  private static final long MS = 1_000_000;

  private long kernelMs = 5_000;
  private int asked;
  private long clocksMs;
  private long clocksFull;
  private final ProcessCpu cpu =
      new ProcessCpu(
          () -> {
            asked++;
            return kernelMs * MS;
          });

  /** What both say has passed; returns the whole. */
  private long nanosAfter(long kernelMore, long clocksMore) {
    kernelMs += kernelMore;
    clocksMs += clocksMore;
    return cpu.nanos(true, stats());
  }

  private OffCpuStats stats() {
    ClockTotals exact = new ClockTotals(clocksMs * MS, 0, 0, 0);
    OffCpuCounters counters =
        new OffCpuCounters(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ClockTotals.ZERO, exact);
    return new OffCpuStats(counters, 0, 0, 0, 0, 0, 0, 0, clocksFull, 0, 0, 0, 0, ParkStats.ZERO);
  }

  @Test
  void whereNextToNothingRunsTheClocksSayIt() {
    assertEquals(0, nanosAfter(0, 0));
    assertEquals(37 * MS, nanosAfter(40, 37));
    assertEquals(40 * MS, nanosAfter(0, 3));
    assertEquals(0, asked);
  }

  @Test
  void whereSomethingRunsTheKernelSaysItFromTheNextWindowOn() {
    nanosAfter(0, 0);
    assertEquals(2_000 * MS, nanosAfter(1_900, 2_000));
    assertEquals(3_900 * MS, nanosAfter(1_900, 2_000));
    assertEquals(3_910 * MS, nanosAfter(11, 10));
    assertEquals(5_910 * MS, nanosAfter(1_900, 2_000), "it was not asked when the window began");
    assertEquals(3, asked);
  }

  @Test
  void whereThreadsHaveNoClockTheKernelIsAskedAlways() {
    clocksFull = 1;
    nanosAfter(0, 0);
    assertEquals(40 * MS, nanosAfter(40, 10));
    assertEquals(80 * MS, nanosAfter(40, 10));
  }

  @Test
  void soItIsWithoutClocks() {
    cpu.nanos(false, OffCpuStats.ZERO);
    kernelMs += 40;
    assertEquals(40 * MS, cpu.nanos(false, OffCpuStats.ZERO));
  }
}
