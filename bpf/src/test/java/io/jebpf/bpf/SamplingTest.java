package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Samples of this very JVM, taken by the real kernel. */
@Tag("kernel")
class SamplingTest {
  private record Sample(
      long time, long weight, long start, int tid, int cpu, int end, String comm) {}

  private KernelPrograms programs;

  @BeforeEach
  void load() {
    Kernel.require();
    programs = Kernel.load();
  }

  @AfterEach
  void close() {
    if (programs != null) {
      programs.close();
    }
  }

  private List<Sample> drain() {
    List<Sample> samples = new ArrayList<>();
    SampleHandler keep =
        s ->
            samples.add(
                new Sample(
                    s.timeNanos(),
                    s.weightNanos(),
                    s.threadStartNanos(),
                    s.tid(),
                    s.cpu(),
                    s.end(),
                    s.comm()));
    while (programs.ring().poll(keep, 100) > 0) {
      assertTrue(samples.size() < 1_000_000);
    }
    return samples;
  }

  @Test
  void whoamiIsUs() throws KernelException {
    Whoami who = programs.whoami();
    assertEquals(ProcessHandle.current().pid(), who.namespaceTgid());
    assertTrue(
        java.nio.file.Files.exists(java.nio.file.Path.of("/proc/self/task/" + who.namespaceTid())));
  }

  @Test
  void aBusyThreadIsSampledAtTheRate() throws KernelException {
    Whoami who = programs.whoami();
    programs.target(who.tgid());
    long before = System.nanoTime();
    programs.cpuSampler().rate(1000);
    Kernel.burn(400_000_000);
    programs.cpuSampler().rate(0);
    long after = System.nanoTime();
    List<Sample> mine = drain().stream().filter(s -> s.tid() == who.namespaceTid()).toList();
    assertTrue(mine.size() > 100 && mine.size() <= 440, mine.size() + " samples of this thread");
    for (Sample sample : mine) {
      assertTrue(sample.time() >= before && sample.time() <= after, sample.toString());
      assertEquals(1_000_000, sample.weight());
      assertTrue(sample.cpu() >= 0 && sample.cpu() < OnlineCpus.CPUS_MAX);
      assertEquals(mine.get(0).start(), sample.start());
      assertEquals(WalkEnd.NO_USER.index(), sample.end());
    }
  }
}
