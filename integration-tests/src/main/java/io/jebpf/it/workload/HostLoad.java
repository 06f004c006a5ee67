package io.jebpf.it.workload;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A program whose output and end are to be the same with and without the agent. Arguments: how to
 * end ({@code return}, {@code exit}, {@code halt}, {@code throw}), exit code, milliseconds of CPU
 * to burn first; then, where that may be less, a file and a text: soon after the file contains it
 * is enough. Who waits for a text does not keep the machine from writing it: it burns with pauses.
 */
public final class HostLoad {
  private static final int LOOK_MILLIS = 50;
  private static final int AFTER_MILLIS = 600; // in which what is said once could be said again

  private static final int PAUSE_MILLIS = 3;

  private static volatile boolean isEnough;

  private HostLoad() {}

  public static void main(String[] args) throws Exception {
    int code = Integer.parseInt(args[1]);
    PrintStream out = System.out;
    out.println("hello from the application: ä ö ü €");
    out.write(new byte[] {0, 1, 2, (byte) 0xff, (byte) 0xfe, 10}, 0, 6);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Thread thread = new Thread(() -> burn(Long.parseLong(args[2]), args.length > 3), "host-" + i);
      thread.start();
      threads.add(thread);
    }
    if (args.length > 3) {
      awaitText(Path.of(args[3]), args[4], threads);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    System.err.println("application's own line on stderr");
    out.println("done");
    switch (args[0]) {
      case "return" -> out.flush();
      case "exit" -> System.exit(code);
      case "halt" -> Runtime.getRuntime().halt(code);
      case "throw" -> throw new IllegalStateException("thrown by the application");
      default -> throw new IllegalArgumentException(args[0]);
    }
  }

  private static void burn(long millis, boolean pauses) {
    long end = Burn.cpuNanos() + millis * 1_000_000;
    while (!isEnough && Burn.cpuNanos() < end) {
      Burn.cpuMillis(1);
      if (pauses) {
        LockSupport.parkNanos(PAUSE_MILLIS * 1_000_000L);
      }
    }
  }

  private static void awaitText(Path file, String text, List<Thread> threads)
      throws IOException, InterruptedException {
    while (threads.stream().anyMatch(Thread::isAlive)) {
      if (Files.readString(file).contains(text)) {
        Thread.sleep(AFTER_MILLIS);
        isEnough = true;
        return;
      }
      Thread.sleep(LOOK_MILLIS);
    }
  }
}
