package io.jebpf.it.workload;

/**
 * Work at the bottom of a recursion. Arguments: frames of it, milliseconds of CPU. The stack of the
 * thread {@code deep} is from its first frame to the last the same all the time.
 */
public final class DeepLoad {
  private static final long STACK_BYTES = 64L << 20;

  private DeepLoad() {}

  public static void main(String[] args) throws Exception {
    int depth = Integer.parseInt(args[0]);
    long nanos = Long.parseLong(args[1]) * 1_000_000;
    AgentGate.await();
    Thread thread = new Thread(null, () -> Burn.sink = down(depth, nanos), "deep", STACK_BYTES);
    thread.start();
    thread.join();
  }

  static long down(int depth, long nanos) {
    return depth == 0 ? bottom(nanos) : down(depth - 1, nanos) + 1;
  }

  static long bottom(long nanos) {
    long x = Burn.sink;
    for (long end = Burn.cpuNanos() + nanos; Burn.cpuNanos() < end; ) {
      x = Burn.spin(10_000, x);
    }
    return x;
  }
}
