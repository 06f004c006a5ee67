package io.jebpf.it.workload;

import java.util.concurrent.locks.LockSupport;

/**
 * Threads that live long before anybody attaches: one burns a core, one waits half of its time, one
 * is parked for ever. Arguments: seconds; then, so that the first leaves the machine to others, how
 * many milliseconds it pauses after each one of work. Prints {@code ready=1} once its code is
 * compiled.
 */
public final class AttachLoad {
  private static final long WORK_NANOS = 1_000_000; // between two pauses

  private AttachLoad() {}

  public static void main(String[] args) throws InterruptedException {
    long end = System.nanoTime() + Long.parseLong(args[0]) * 1_000_000_000L;
    long pauseNanos = args.length > 1 ? Long.parseLong(args[1]) * 1_000_000 : 0;
    start("hot before the attach", () -> hot(end, pauseNanos));
    start("waits before the attach", () -> waits(end));
    start("parked before the attach", () -> parked(end));
    Thread.sleep(1500); // compiled by C2 by then
    System.out.println("ready=1");
    System.out.flush();
    Thread.sleep(Math.max(1, (end - System.nanoTime()) / 1_000_000));
    System.out.println("done=1");
  }

  private static void start(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
  }

  static void hot(long end, long pauseNanos) {
    long paused = System.nanoTime();
    while (System.nanoTime() < end) {
      outer();
      if (pauseNanos > 0 && System.nanoTime() - paused > WORK_NANOS) {
        LockSupport.parkNanos(pauseNanos);
        paused = System.nanoTime();
      }
    }
  }

  /** Inlined by the compiler, or calls that are compiled on their own. */
  static void outer() {
    inner();
  }

  static void inner() {
    Burn.sink = Burn.spin(50_000, Burn.sink);
  }

  static void waits(long end) {
    while (System.nanoTime() < end) {
      LockSupport.parkNanos(50_000_000L);
    }
  }

  static void parked(long end) {
    while (System.nanoTime() < end) {
      LockSupport.park();
    }
  }
}
