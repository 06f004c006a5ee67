package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Every native call fails once: nothing may stay behind, and the message must say what failed and
 * why.
 */
@Tag("kernel")
class FaultInjectionTest {
  private static final int CALLS_MAX = 1000;

  @BeforeEach
  void require() {
    Kernel.require();
  }

  /** One of everything. Returns what the sampler says about CPUs it could not cover. */
  private static String everything(NativeRuntime runtime) throws KernelException {
    try (KernelObject object = KernelObject.open(runtime, Kernel.testObject())) {
      object.knob("depth_max", 100);
      object.ringBytes(64 * 1024);
      try (KernelPrograms programs = object.load()) {
        programs.target(programs.whoami().tgid());
        UnwindTables tables = programs.unwindTables();
        int rule = tables.rule(1, 8, 0, 0, -8);
        int table = tables.add(new int[] {1, 2}, new int[] {rule, 0}, 2);
        tables.beginBatch();
        int second = tables.add(new int[] {1, 2}, new int[] {rule, 0}, 2);
        int third = tables.add(new int[] {3}, new int[] {rule}, 1);
        tables.commit();
        assertEquals(table + 1, second);
        assertEquals(table + 2, third);
        programs.mappings().publish(List.of(new KernelMapping(4096, 8192, 0, 1, table, 2, 0)));
        programs.cpuSampler().rate(99);
        StringBuilder uncovered = new StringBuilder(programs.cpuSampler().lastFailure());
        programs.cpuSampler().refresh();
        uncovered.append(programs.cpuSampler().lastFailure());
        programs.cpuSampler().rate(0);
        programs.cpuSampler().rate(500);
        programs.stats();
        tables.remove(table);
        return uncovered.toString();
      }
    }
  }

  @Test
  void everyCallMayFail() throws KernelException {
    Set<String> seen = new HashSet<>();
    for (int n = 1; n < CALLS_MAX; n++) {
      Faults faults = new Faults(n);
      String said;
      try {
        said = everything(faults.runtime());
      } catch (KernelException e) {
        said = e.getMessage();
      }
      String where = "call " + n + ", " + faults.failed() + ": " + said;
      assertEquals(Map.of(), faults.held(), where);
      if (faults.failed().isEmpty()) {
        assertEquals("", said);
        assertTrue(n > 50 && seen.containsAll(Set.of("objectLoad", "perfOpen", "map")), where);
        return;
      }
      seen.add(faults.failed());
      switch (faults.failed()) {
        case "objectBtf" -> assertTrue(said.startsWith("reading the BTF of jebpf"), where);
        case "mapInitialValue" -> assertTrue(said.contains(".rodata.config"), where);
        case "perfCount" -> assertEquals("", said, where); // the event is opened anew
        case "mapUpdateBatch" -> assertEquals("", said, where); // then one by one
        default -> assertTrue(said.contains("EIO (5)"), where);
      }
    }
    throw new AssertionError("still failing after " + CALLS_MAX + " calls");
  }

  @Test
  void closingTwiceReleasesOnce() throws KernelException {
    Faults faults = new Faults(0);
    KernelObject object = KernelObject.open(faults.runtime(), Kernel.testObject());
    KernelPrograms programs = object.load();
    programs.cpuSampler().rate(99);
    programs.cpuSampler().close();
    programs.close();
    programs.close();
    object.close();
    assertEquals(Map.of(), faults.held());
  }

  @Test
  void usingWhatIsClosedIsAnErrorNotAFault() throws KernelException {
    KernelPrograms programs = Kernel.load();
    int rule = programs.unwindTables().rule(1, 8, 0, 0, -8);
    programs.close();
    assertThrows(IllegalStateException.class, () -> programs.ring().poll(s -> {}, 1));
    assertThrows(IllegalStateException.class, () -> programs.ring().backlogBytes());
    assertThrows(IllegalStateException.class, () -> programs.target(1));
    assertThrows(IllegalStateException.class, programs::stats);
    assertThrows(IllegalStateException.class, programs::whoami);
    assertThrows(IllegalStateException.class, () -> programs.mappings().publish(List.of()));
    assertThrows(IllegalStateException.class, () -> programs.cpuSampler().rate(1));
    assertThrows(
        IllegalStateException.class,
        () -> programs.unwindTables().add(new int[] {1}, new int[] {rule}, 1));
    assertThrows(IllegalStateException.class, () -> programs.unwindTables().rule(1, 16, 0, 0, -8));
    assertEquals(0, programs.cpuSampler().refresh());
  }

  /** Nobody should, but if the ring is closed under its reader, the reader gets an exception. */
  @Test
  void closingUnderAReaderIsNoCrash() throws Exception {
    for (int i = 0; i < 20; i++) {
      KernelPrograms programs = Kernel.load();
      programs.target(programs.whoami().tgid());
      programs.cpuSampler().rate(5000);
      FutureTask<String> reader =
          new FutureTask<>(
              () -> {
                long[] sum = {0};
                try {
                  while (true) {
                    programs.ring().poll(s -> sum[0] += s.timeNanos(), 10);
                  }
                } catch (IllegalStateException e) {
                  return e.getMessage();
                }
              });
      Thread thread = new Thread(reader);
      thread.start();
      Kernel.burn(5_000_000);
      programs.close();
      assertFalse(reader.get(10, TimeUnit.SECONDS).isEmpty());
      thread.join();
    }
  }
}
