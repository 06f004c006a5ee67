package io.jebpf.it.matrix;

/** Loops with polls while another thread asks for one safepoint or handshake after the other. */
final class SafepointLoad implements Workload {
  private final Thread storm = new Thread(SafepointLoad::storm, "storm");
  private volatile int turn;

  SafepointLoad() {
    storm.setDaemon(true);
    storm.start();
  }

  private static void storm() {
    try {
      while (true) {
        for (StackTraceElement[] trace : Thread.getAllStackTraces().values()) {
          MatrixLoad.sink += trace.length;
        }
        System.gc();
        Thread.sleep(1);
      }
    } catch (InterruptedException ended) {
      return;
    }
  }

  @Override
  public void round() {
    long x = 0;
    for (int i = 0; i < 2000; i++) {
      x += polled(i, 20);
      turn = i;
    }
    MatrixLoad.sink += x;
  }

  private static long polled(int n, int depth) {
    long x = n;
    for (int i = 0; i < n % 50; i++) {
      x = x * 31 + i;
    }
    return depth == 0 ? x : polled(n + 1, depth - 1) ^ x;
  }
}
