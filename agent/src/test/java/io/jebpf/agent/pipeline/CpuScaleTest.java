package io.jebpf.agent.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class CpuScaleTest {
  private static final long SECOND = 1_000_000_000L;

  @Test
  void theSumBecomesTheKernels() {
    assertEquals(0.98, CpuScale.of(98 * SECOND / 10, 10 * SECOND, 10_000), 1e-9);
    assertEquals(1.1, CpuScale.of(11 * SECOND, 10 * SECOND, 10_000), 1e-9);
  }

  @Test
  void whatIsTooCoarseOrTooFarOffIsLeftAlone() {
    assertEquals(1, CpuScale.of(SECOND / 2, SECOND, 500), "ticks of 10 ms are too coarse");
    assertEquals(1, CpuScale.of(2 * SECOND, 2 * SECOND / 49 * 48, 49), "too few samples");
    assertEquals(1, CpuScale.of(2 * SECOND, SECOND, 1000), "half of it has no samples");
    assertEquals(1, CpuScale.of(2 * SECOND, 0, 1000));
    assertEquals(1, CpuScale.of(0, SECOND, 1000));
  }
}
