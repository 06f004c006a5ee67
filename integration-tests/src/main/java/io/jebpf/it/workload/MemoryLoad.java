package io.jebpf.it.workload;

import java.util.ArrayList;
import java.util.List;

/**
 * Computes, takes memory until there is none, lets go of it, and computes on. Arguments: seconds
 * before and after. Prints {@code ready=1} when the agent samples, {@code errors=1} when the JVM
 * has thrown.
 */
public final class MemoryLoad {
  private static final int PIECE_BYTES = 64 << 10;

  private MemoryLoad() {}

  public static void main(String[] args) throws InterruptedException {
    AgentGate.await();
    System.out.println("ready=1");
    Burn.cpuMillis(Long.parseLong(args[0]) * 1000);
    System.out.println("errors=" + exhaust());
    long end = System.nanoTime() + Long.parseLong(args[1]) * 1_000_000_000L;
    while (System.nanoTime() < end) {
      Burn.cpuMillis(20);
    }
    System.out.println("done=1");
  }

  private static int exhaust() {
    List<byte[]> pieces = new ArrayList<>();
    try {
      while (true) {
        pieces.add(new byte[PIECE_BYTES]);
      }
    } catch (OutOfMemoryError e) {
      Burn.sink = pieces.size();
      return 1;
    }
  }
}
