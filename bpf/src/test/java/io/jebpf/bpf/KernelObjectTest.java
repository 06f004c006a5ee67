package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The object that is in the jar. */
class KernelObjectTest {
  @Test
  @Tag("kernel")
  void theKernelTakesTheRealPrograms() throws KernelException {
    Kernel.require();
    try (KernelObject object = KernelObject.open(Kernel.runtime())) {
      object.knob("depth_max", 1024);
      try (KernelPrograms programs = object.load()) {
        Whoami who = programs.whoami();
        assertEquals(ProcessHandle.current().pid(), who.namespaceTgid());
        programs.target(who.tgid());
        programs.cpuSampler().rate(999);
        Kernel.burn(200_000_000);
        programs.cpuSampler().rate(0);
        long[] stats = programs.stats();
        assertTrue(KernelStat.SAMPLES.of(stats) > 50, () -> Arrays.toString(stats));
      }
    } catch (KernelException e) {
      throw new AssertionError(e.getMessage() + "\n" + e.log(), e);
    }
  }
}
