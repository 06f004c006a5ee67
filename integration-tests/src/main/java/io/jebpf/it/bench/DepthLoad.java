package io.jebpf.it.bench;

/** Two threads that spin below so many frames. Arguments: depth, seconds. */
public final class DepthLoad {
  private static final int TURNS = 2_000_000;

  private static volatile long sink;

  private DepthLoad() {}

  public static void main(String[] args) {
    int depth = Integer.parseInt(args[0]);
    long end = System.nanoTime() + Long.parseLong(args[1]) * 1_000_000_000L;
    Runnable load =
        () -> {
          while (System.nanoTime() < end) {
            down(depth);
          }
        };
    new Thread(load, "second").start();
    load.run();
  }

  private static long down(int left) {
    return left == 0 ? spin() : down(left - 1) + 1;
  }

  private static long spin() {
    long value = sink;
    for (int i = 0; i < TURNS; i++) {
      value = value * 31 + i;
    }
    sink = value;
    return value;
  }
}
