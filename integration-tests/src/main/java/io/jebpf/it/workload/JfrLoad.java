package io.jebpf.it.workload;

/** Something of every kind that the JDK's flight recorder sees. Argument: seconds. */
public final class JfrLoad {
  private static final Object LOCK = new Object();
  private static volatile Object kept;

  private JfrLoad() {}

  public static void main(String[] args) throws InterruptedException {
    long end = System.nanoTime() + Long.parseLong(args[0]) * 1_000_000_000L;
    Thread burner = new Thread(() -> burn(end), "burner");
    Thread holder = new Thread(() -> contend(end), "holder");
    Thread waiter = new Thread(() -> contend(end), "waiter");
    Thread allocator = new Thread(() -> allocate(end), "allocator");
    for (Thread thread : new Thread[] {burner, holder, waiter, allocator}) {
      thread.start();
    }
    for (Thread thread : new Thread[] {burner, holder, waiter, allocator}) {
      thread.join();
    }
  }

  static void burn(long end) {
    while (System.nanoTime() < end) {
      Burn.sink = Burn.spin(20_000, Burn.sink);
    }
  }

  static void contend(long end) {
    while (System.nanoTime() < end) {
      synchronized (LOCK) {
        try {
          Thread.sleep(30);
        } catch (InterruptedException e) {
          return;
        }
      }
    }
  }

  static void allocate(long end) {
    while (System.nanoTime() < end) {
      kept = new byte[10_000];
      Thread.yield();
    }
  }
}
