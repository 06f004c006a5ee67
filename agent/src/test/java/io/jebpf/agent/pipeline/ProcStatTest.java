package io.jebpf.agent.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import org.junit.jupiter.api.Test;

class ProcStatTest {
  @Test
  void namesMayHoldAnything() {
    String stat = "7 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 123 45 0 0 20";
    assertEquals(1_680_000_000L, ProcStat.processNanos(stat));
    assertEquals(0, ProcStat.processNanos(""));
    assertEquals(0, ProcStat.processNanos("7 (a) S 1"));
  }

  @Test
  void timesGrowWithWork() {
    long process = ProcStat.processNanos();
    long thread = ProcStat.threadNanos();
    ThreadMXBean clock = ManagementFactory.getThreadMXBean();
    long end = clock.getCurrentThreadCpuTime() + 60_000_000; // CPU time: the machine may be busy
    while (clock.getCurrentThreadCpuTime() < end) {
      Thread.onSpinWait();
    }
    assertTrue(ProcStat.processNanos() - process >= 20_000_000);
    long spun = ProcStat.threadNanos() - thread;
    assertTrue(spun >= 10_000_000 && spun < 500_000_000, spun + " ns");
  }
}
