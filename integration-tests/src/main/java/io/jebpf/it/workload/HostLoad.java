package io.jebpf.it.workload;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/**
 * A program whose output and end are to be the same with and without the agent. Arguments: how to
 * end ({@code return}, {@code exit}, {@code halt}, {@code throw}), exit code, milliseconds of CPU
 * to burn first.
 */
public final class HostLoad {
  private HostLoad() {}

  public static void main(String[] args) throws Exception {
    int code = Integer.parseInt(args[1]);
    PrintStream out = System.out;
    out.println("hello from the application: ä ö ü €");
    out.write(new byte[] {0, 1, 2, (byte) 0xff, (byte) 0xfe, 10}, 0, 6);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Thread thread = new Thread(() -> Burn.cpuMillis(Long.parseLong(args[2])), "host-" + i);
      thread.start();
      threads.add(thread);
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
}
