package io.jebpf.agent.pipeline;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** CPU times from /proc, in nanoseconds; 0 where /proc does not say. */
public final class ProcStat {
  /** USER_HZ is 100 on every architecture we run on (kernel ABI, not the kernel's own HZ). */
  private static final long TICK_NANOS = 10_000_000L;

  private ProcStat() {}

  /** User and system time of this process, all its threads, dead ones too; steps of 10 ms. */
  public static long processNanos() {
    return processNanos(read("/proc/self/stat"));
  }

  static long processNanos(String stat) {
    int name = stat.lastIndexOf(')'); // a name may hold spaces and brackets
    if (name < 0) {
      return 0;
    }
    String[] fields = stat.substring(name + 1).strip().split(" ");
    return fields.length < 13
        ? 0
        : (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) * TICK_NANOS;
  }

  /** Time on CPU of the calling thread. */
  static long threadNanos() {
    String schedstat = read("/proc/thread-self/schedstat");
    int space = schedstat.indexOf(' ');
    return space <= 0 ? 0 : Long.parseLong(schedstat.substring(0, space));
  }

  private static String read(String path) {
    byte[] buffer = new byte[1024];
    try (FileInputStream in = new FileInputStream(path)) {
      int length = in.read(buffer);
      return length <= 0 ? "" : new String(buffer, 0, length, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return ""; // /proc is not mounted, or hidden: the figure is missing, nothing else
    }
  }
}
