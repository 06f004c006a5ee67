package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.workload.RateLoad;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The rate can be changed while the application runs, through the MBean. */
@KernelTest
class RateTest {
  @TempDir Path directory;

  @Test
  void ratesFollowTheMBeanAndZeroStopsSampling() {
    ChildResult result =
        ChildJvm.in(directory)
            .agent("cpu=99,budget=100%,window=2s")
            .main(RateLoad.class, 1000, 99, 0, 999, 0, 199)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Profiles.assertRules(result);
    int[] rates = {99, 0, 999, 0, 199};
    for (int i = 0; i < rates.length; i++) {
      long samples = result.value("rate" + (i + 1));
      int hz = rates[i];
      assertEquals(hz, result.value("hz" + (i + 1)), "CpuHz as it was set");
      if (hz == 0) {
        assertEquals(0, samples, "samples while the rate is 0");
      } else {
        double expected = hz * result.value("cpu" + (i + 1)) / 1000.0;
        assertTrue(
            samples > expected * 0.8 && samples < expected * 1.2,
            () -> samples + " samples at " + hz + " Hz, by CPU time " + expected);
      }
    }
  }
}
