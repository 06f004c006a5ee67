package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The list of CPUs, and what the sampler does with it, without a kernel. */
class CpuSamplerTest {
  private final List<String> calls = new ArrayList<>();
  private final ByteBuffer target =
      ByteBuffer.allocateDirect(Layout.TARGET_BYTES).order(ByteOrder.nativeOrder());
  private int[] online = {0, 1, 2};
  private int gone = -1;
  private long clock;
  private int stopped = -1;

  @Test
  void everyFormOfTheList() throws IOException {
    assertArrayEquals(new int[] {0}, OnlineCpus.parse("0\n"));
    assertArrayEquals(new int[] {0, 1, 2, 3, 8, 10, 11}, OnlineCpus.parse("0-3,8,10-11\n"));
    for (String bad : List.of("", "x", "0-", "-3", "0-99999", "0,,2")) {
      String message = assertThrows(IOException.class, () -> OnlineCpus.parse(bad)).getMessage();
      assertEquals("not a list of CPUs: '" + bad + "'", message);
    }
  }

  /** fd of CPU n is 100 + n; "gone" has no such device. */
  private CpuSampler sampler() {
    KernelCalls fake =
        (KernelCalls)
            Proxy.newProxyInstance(
                CpuSamplerTest.class.getClassLoader(),
                new Class<?>[] {KernelCalls.class},
                (proxy, method, arguments) -> {
                  String name = method.getName();
                  if (name.equals("perfCount")) {
                    return (int) arguments[0] == stopped ? 5L : ++clock;
                  }
                  calls.add(name + List.of(arguments));
                  if (!name.equals("perfOpen")) {
                    return 0;
                  }
                  return (int) arguments[0] == gone ? -Errno.ENODEV : 100 + (int) arguments[0];
                });
    return new CpuSampler(fake, 77, new Target(target), () -> online);
  }

  private List<String> taken() {
    List<String> taken = List.copyOf(calls);
    calls.clear();
    return taken;
  }

  @Test
  void thePeriodIsKnownBeforeTheFirstClockRuns() throws KernelException {
    online = new int[] {3};
    sampler().rate(99);
    assertEquals(10_101_010L, target.getLong(Layout.TARGET_PERIOD));
    assertEquals(
        List.of("perfOpen[3, 10101010]", "perfAttach[103, 77]", "perfEnable[103, true]"), taken());
  }

  @Test
  void aChangeOfRateStopsAllClocksFirst() throws KernelException {
    online = new int[] {0, 1};
    CpuSampler sampler = sampler();
    sampler.rate(100);
    taken();
    sampler.rate(1000);
    assertEquals(
        List.of(
            "perfEnable[100, false]",
            "perfEnable[101, false]",
            "perfPeriod[100, 1000000]",
            "perfEnable[100, true]",
            "perfPeriod[101, 1000000]",
            "perfEnable[101, true]"),
        taken());
    sampler.rate(0);
    assertEquals(List.of("perfEnable[100, false]", "perfEnable[101, false]"), taken());
    assertEquals(2, sampler.refresh());
    assertEquals(List.of(), taken(), "paused: nothing is looked at");
  }

  @Test
  void aCpuThatWasAwayBetweenTwoLooksGetsANewEvent() throws KernelException {
    CpuSampler sampler = sampler();
    sampler.rate(100);
    assertEquals(3, sampler.refresh());
    stopped = 101;
    taken();
    assertEquals(3, sampler.refresh());
    assertEquals(
        List.of(
            "close[101]", "perfOpen[1, 10000000]", "perfAttach[101, 77]", "perfEnable[101, true]"),
        taken());
  }

  @Test
  void aCpuThatGoesWhileItsEventIsOpenedIsNoFailure() throws KernelException {
    gone = 2;
    CpuSampler sampler = sampler();
    sampler.rate(100);
    assertEquals(2, sampler.cpus());
    assertEquals("", sampler.lastFailure());
    gone = -1;
    assertEquals(3, sampler.refresh());
    online = new int[] {1};
    taken();
    assertEquals(1, sampler.refresh());
    assertEquals(List.of("close[100]", "close[102]"), taken());
    sampler.close();
    sampler.close();
    assertEquals(List.of("close[101]"), taken());
  }

  @Test
  void ratesOutOfRangeAreRefused() {
    CpuSampler sampler = sampler();
    for (int hz : new int[] {-1, CpuSampler.HZ_MAX + 1}) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> sampler.rate(hz)).getMessage();
      assertTrue(message.contains(Integer.toString(hz)), message);
    }
  }

  @Test
  void refusedClockEventsGiveOneUsefulLine() throws KernelException {
    for (int error : List.of(Errno.EACCES, Errno.ENOSYS, Errno.EMFILE)) {
      CpuSampler sampler = refusing(error, () -> new int[] {0, 3});
      KernelException refusal = assertThrows(KernelException.class, () -> sampler.rate(99));
      String message = refusal.getMessage();
      assertTrue(
          message.startsWith("perf_event_open(cpu=3) failed: " + Errno.text(error) + "; "),
          message);
      if (error == Errno.EACCES) {
        assertTrue(message.contains("kernel.perf_event_paranoid="), message);
        assertTrue(message.contains("Grant CAP_PERFMON"), message);
      }
      assertEquals(0, sampler.cpus());
      assertFalse(sampler.lastFailure().isEmpty());
    }
  }

  @Test
  void anUnreadableListOfCpusIsSaid() {
    CpuSampler sampler =
        refusing(
            Errno.EIO,
            () -> {
              throw new IOException("gone");
            });
    String message = assertThrows(KernelException.class, () -> sampler.rate(99)).getMessage();
    assertTrue(message.contains("gone") && message.contains("Mount /sys"), message);
  }

  private static CpuSampler refusing(int error, OnlineCpus online) {
    KernelCalls refusing =
        (KernelCalls)
            Proxy.newProxyInstance(
                CpuSamplerTest.class.getClassLoader(),
                new Class<?>[] {KernelCalls.class},
                (proxy, method, arguments) -> method.getName().equals("perfOpen") ? -error : 0);
    Target target = new Target(ByteBuffer.allocateDirect(Layout.TARGET_BYTES));
    return new CpuSampler(refusing, 1, target, online);
  }
}
