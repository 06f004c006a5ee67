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
      MemorySegment create = Downcall.libc("timer_create");
      assertEquals(
          0, (int) Downcall.call(create, CLOCK_MONOTONIC, event.address(), timer.address()));
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
    long before = Long.parseLong(status("voluntary_ctxt_switches"));
    Thread.sleep(200);
    return Long.parseLong(status("voluntary_ctxt_switches")) - before - 1;
  }

  /** The JDK does so at the first use of a channel. */
  private static void installHandler() throws IOException {
    SocketChannel.open().close();
    long caught = Long.parseUnsignedLong(status("SigCgt"), 16);
    assertTrue((caught >> SIGNAL - 1 & 1) == 1, "the JDK handles signal " + SIGNAL + " no longer");
  }

  private static String status(String key) throws IOException {
    try (var lines = Files.lines(Path.of("/proc/thread-self/status"))) {
      String line = lines.filter(l -> l.startsWith(key + ":")).findFirst().orElseThrow();
      return line.replaceFirst(".*\\s", "");
    }
  }
}
