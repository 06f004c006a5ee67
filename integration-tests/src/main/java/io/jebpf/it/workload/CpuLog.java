package io.jebpf.it.workload;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;

/**
 * Writes lines "wall nanoseconds, CPU nanoseconds of the process" to a file, ten a second: the
 * kernel's own account (utime + stime of /proc/self/stat), to be compared with what the profiles
 * sum up to.
 */
public final class CpuLog {
  private static final long NANOS_PER_TICK = 10_000_000; // USER_HZ is 100 on Linux
  private static final int INTERVAL_MILLIS = 100;

  private CpuLog() {}

  /** Starts a daemon thread that writes until the process ends. */
  public static void start(Path file) {
    Thread thread = new Thread(() -> run(file), "cpu-log");
    thread.setDaemon(true);
    thread.start();
  }

  private static void run(Path file) {
    try {
      while (true) {
        Files.writeString(file, line(), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        Thread.sleep(INTERVAL_MILLIS);
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String line() throws IOException {
    long cpuNanos = processCpuNanos();
    Instant now = Instant.now();
    long wallNanos = now.getEpochSecond() * 1_000_000_000 + now.getNano();
    return wallNanos + " " + cpuNanos + "\n";
  }

  /** utime + stime of this process, from /proc/self/stat. */
  static long processCpuNanos() throws IOException {
    String stat = Files.readString(Path.of("/proc/self/stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) * NANOS_PER_TICK;
  }
}
