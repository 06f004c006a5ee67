package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;

class AlarmTest {
  private static final long MINUTE_NANOS = 60_000_000_000L;

  @Test
  void sleepsForTheTimeUnlessItRings() throws Exception {
    try (Alarm alarm = Alarm.open(Kernel.runtime())) {
      long start = System.nanoTime();
      alarm.await(20_000_000);
      assertTrue(System.nanoTime() - start >= 20_000_000);
      alarm.await(0);
      Thread ringer =
          new Thread(
              () -> {
                alarm.ring();
                alarm.ring(); // these two may be one
              });
      ringer.start();
      alarm.await(MINUTE_NANOS);
      ringer.join();
      alarm.ring();
      alarm.await(MINUTE_NANOS); // rang before
      assertTrue(System.nanoTime() - start < MINUTE_NANOS);
      start = System.nanoTime();
      alarm.await(5_000_000);
      assertTrue(System.nanoTime() - start >= 5_000_000, "a ring is heard once");
    }
  }

  @Test
  void isSilentOnceClosed() throws Exception {
    Faults faults = new Faults(0);
    Alarm alarm = Alarm.open(faults.runtime());
    assertEquals(2, faults.held().size());
    alarm.close();
    alarm.close();
    assertEquals(Map.of(), faults.held());
    int calls = faults.calls();
    alarm.ring();
    assertEquals(calls, faults.calls(), "the number may be another file's by now");
  }

  @Test
  void withoutDescriptorsThereIsNone() {
    KernelException e =
        assertThrows(KernelException.class, () -> Alarm.open(new Faults(1).runtime()));
    assertTrue(e.getMessage().startsWith("eventfd"), e.getMessage());
  }
}
