package io.jebpf.bpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Programs are loaded beside a profiler that sends its signals to the loading thread: the kernel
 * gives up verifying when one arrives, and libbpf after five times.
 */
@Tag("kernel")
class LoadUnderSignalsTest {
  /** The JDK's, to wake threads that block in channels: its handler does nothing. */
  private static final int SIGNAL = 62;

  private static final int CLOCK_MONOTONIC = 1;
  private static final int SIGEV_THREAD_ID = 4;
  private static final long INTERVAL_NANOS = 200_000;

  @Test
  void signalsWaitUntilTheKernelHasVerified() throws Exception {
    Kernel.require();
    installHandler();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment event = arena.allocate(64, 8);
      event.set(JAVA_INT, 8, SIGNAL);
      event.set(JAVA_INT, 12, SIGEV_THREAD_ID);
      event.set(JAVA_INT, 16, (int) Downcall.call(Downcall.libc("gettid")));
      MemorySegment timer = arena.allocate(JAVA_LONG);
      assertEquals(0, (int) call("timer_create", CLOCK_MONOTONIC, event, timer));
      MemorySegment times = arena.allocate(32, 8);
      times.set(JAVA_LONG, 8, INTERVAL_NANOS);
      times.set(JAVA_LONG, 24, INTERVAL_NANOS);
      MemorySegment set = Downcall.libc("timer_settime");
      long id = timer.get(JAVA_LONG, 0);
      assertEquals(0, (int) Downcall.call(set, id, 0, times.address()));
      try (KernelPrograms programs = Kernel.load()) {
        programs.cpuSampler().rate(99);
        assertTrue(wakeUps() > 0, "no signal came: the test shows nothing");
      } finally {
        Downcall.call(Downcall.libc("timer_delete"), id);
      }
    }
  }

  /** Sleeps a while; how often it was woken. */
  private static long wakeUps() throws IOException, InterruptedException {
    long before = voluntary();
    Thread.sleep(200);
    return voluntary() - before - 1;
  }

  private static long voluntary() throws IOException {
    try (var lines = Files.lines(Path.of("/proc/thread-self/status"))) {
      return lines
          .filter(line -> line.startsWith("voluntary_ctxt_switches"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
          .sum();
    }
  }

  private static long call(String function, long clock, MemorySegment event, MemorySegment timer) {
    return Downcall.call(Downcall.libc(function), clock, event.address(), timer.address());
  }

  /** The JDK does so at the first use of a channel. */
  private static void installHandler() throws IOException {
    SocketChannel.open().close();
    assertTrue(handled(), "the JDK handles signal " + SIGNAL + " no longer");
  }

  private static boolean handled() throws IOException {
    try (var lines = Files.lines(Path.of("/proc/self/status"))) {
      String mask = lines.filter(line -> line.startsWith("SigCgt")).findFirst().orElseThrow();
      return (Long.parseUnsignedLong(mask.replaceAll(".*\\s", ""), 16) >> SIGNAL - 1 & 1) == 1;
    }
  }
}
