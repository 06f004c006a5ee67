package io.jebpf.it.offcpu;

import io.jebpf.it.workload.AgentGate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Virtual threads that have to wait for a carrier, since others compute on it in turns of known
 * length. What the threads of each site waited before they were woken, and what from then until
 * they ran, is printed as {@code parked.<site>} and {@code queued.<site>} in nanoseconds, {@code
 * count.<site>} says how often. Arguments: seconds, how many threads compute, for how many
 * microseconds at a time, how many threads of each site there are.
 */
public final class QueueLoad {
  private static final long PARK_NANOS = 15_000_000;
  private static final long SLEEP_MILLIS = 12;
  private static final long HOLD_MILLIS = 8;
  private static final long LONGER_NANOS = 1_000_000_000;

  private static final List<Site> SITES = new ArrayList<>();
  private static final List<Thread> STARTED = new ArrayList<>();
  private static volatile long stopNanos;

  /** One place that waits, and the truth about it. */
  private static final class Site {
    final String name;
    final LongAdder parked = new LongAdder();
    final LongAdder queued = new LongAdder();
    final LongAdder count = new LongAdder();

    Site(String name) {
      this.name = name;
      SITES.add(this);
    }

    /** A wait from {@code start} on, which somebody ended at {@code woken}, until now. */
    void add(long start, long woken) {
      long now = System.nanoTime();
      long turn = Math.max(start, Math.min(now, woken));
      parked.add(turn - start);
      queued.add(now - turn);
      count.increment();
    }
  }

  /** What a thread does again and again until the end. */
  private interface Turn {
    void once() throws InterruptedException;
  }

  private interface Wait {
    void until(Wakeup wakeup) throws InterruptedException;
  }

  private QueueLoad() {}

  private static void virtual(String name, Turn turn) {
    STARTED.add(Thread.ofVirtual().name(name).start(() -> repeat(turn, 0)));
  }

  /** On no carrier, and a little longer there than those who wait for it. */
  private static void platform(String name, Turn turn) {
    STARTED.add(Thread.ofPlatform().name(name).start(() -> repeat(turn, LONGER_NANOS)));
  }

  private static void repeat(Turn turn, long longer) {
    try {
      while (System.nanoTime() < stopNanos + longer) {
        turn.once();
      }
    } catch (InterruptedException e) {
      e.printStackTrace();
    }
  }

  // ---- those who compute

  private static void compute(long nanos) {
    long end = System.nanoTime() + nanos;
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }

  /**
   * Threads that compute as soon as the carrier is theirs. A platform thread wakes them, as others
   * wake those who wait: a carrier takes threads that it has woken itself before all others.
   */
  private static void computers(int threads, long nanos) {
    for (int i = 0; i < threads; i++) {
      Wakeup wakeup = new Wakeup();
      virtual(
          "computes",
          () -> {
            compute(nanos);
            wakeup.nanos = 0;
            wakeup.waiting = Thread.currentThread();
            waitToCompute(wakeup);
          });
      platform(
          "wakes",
          () -> {
            Thread parked = awaitWaiting(wakeup);
            wakeup.nanos = System.nanoTime();
            LockSupport.unpark(parked);
          });
    }
  }

  private static void waitToCompute(Wakeup wakeup) {
    while (wakeup.nanos == 0) {
      LockSupport.park();
    }
  }

  // ---- those who wait

  static void waitForUnpark(Wakeup wakeup) {
    while (wakeup.nanos == 0) {
      LockSupport.park();
    }
  }

  static void waitForUnparkInTime(Wakeup wakeup) {
    while (wakeup.nanos == 0) {
      LockSupport.parkNanos(60_000_000_000L);
    }
  }

  static void waitForNotify(Wakeup wakeup) throws InterruptedException {
    synchronized (wakeup) {
      while (wakeup.nanos == 0) {
        wakeup.wait();
      }
    }
  }

  static void waitForMonitor(Wakeup wakeup) {
    synchronized (wakeup) {
      Thread.onSpinWait();
    }
  }

  static void sleepWhile() throws InterruptedException {
    Thread.sleep(SLEEP_MILLIS);
  }

  static void waitForTimeout(Object monitor) throws InterruptedException {
    synchronized (monitor) {
      monitor.wait(SLEEP_MILLIS);
    }
  }

  /** When somebody ended a wait; 0: nobody yet. */
  private static final class Wakeup {
    volatile Thread waiting;
    volatile long nanos;
    volatile boolean held;
  }

  private static void waits(Site site, Wakeup wakeup, Wait wait) {
    virtual(
        "waits",
        () -> {
          wakeup.nanos = 0;
          long start = System.nanoTime();
          wakeup.waiting = Thread.currentThread();
          wait.until(wakeup);
          site.add(start, wakeup.nanos);
        });
  }

  /** A platform thread wakes it after a while. */
  private static void unparked(Site site, boolean timed) {
    Wakeup wakeup = new Wakeup();
    waits(site, wakeup, timed ? QueueLoad::waitForUnparkInTime : QueueLoad::waitForUnpark);
    platform(
        "wakes",
        () -> {
          Thread parked = awaitWaiting(wakeup);
          LockSupport.parkNanos(PARK_NANOS);
          wakeup.nanos = System.nanoTime();
          LockSupport.unpark(parked);
        });
  }

  private static void notified(Site site) {
    Wakeup wakeup = new Wakeup();
    waits(site, wakeup, QueueLoad::waitForNotify);
    platform(
        "wakes",
        () -> {
          awaitWaiting(wakeup);
          LockSupport.parkNanos(PARK_NANOS);
          synchronized (wakeup) {
            wakeup.nanos = System.nanoTime();
            wakeup.notifyAll();
          }
        });
  }

  /** The thread that waits, which is then forgotten; null at the end. */
  private static Thread awaitWaiting(Wakeup wakeup) {
    await(() -> wakeup.waiting != null);
    Thread waiting = wakeup.waiting;
    wakeup.waiting = null;
    return waiting;
  }

  /** Or for the end. */
  private static void await(BooleanSupplier condition) {
    while (!condition.getAsBoolean() && System.nanoTime() < stopNanos + LONGER_NANOS) {
      LockSupport.parkNanos(300_000);
    }
  }

  /** A platform thread has the monitor when it comes, and gives it up after a while. */
  private static void blocked(Site site) {
    Wakeup wakeup = new Wakeup();
    virtual(
        "waits",
        () -> {
          if (!wakeup.held) {
            LockSupport.parkNanos(1_000_000);
            return;
          }
          long start = System.nanoTime();
          wakeup.waiting = Thread.currentThread();
          waitForMonitor(wakeup);
          site.add(start, wakeup.nanos);
          wakeup.waiting = null;
        });
    platform(
        "holds",
        () -> {
          synchronized (wakeup) {
            wakeup.held = true;
            await(() -> wakeup.waiting != null);
            Thread.sleep(HOLD_MILLIS);
            wakeup.held = false;
            wakeup.nanos = System.nanoTime();
          }
          await(() -> wakeup.waiting == null);
        });
  }

  private static void asleep(Site site) {
    virtual(
        "sleeps",
        () -> {
          long start = System.nanoTime();
          sleepWhile();
          site.add(start, start + SLEEP_MILLIS * 1_000_000);
        });
  }

  private static void timedOut(Site site) {
    Object monitor = new Object();
    virtual(
        "sleeps",
        () -> {
          long start = System.nanoTime();
          waitForTimeout(monitor);
          site.add(start, start + SLEEP_MILLIS * 1_000_000);
        });
  }

  public static void main(String[] arguments) throws Exception {
    AgentGate.await();
    stopNanos = System.nanoTime() + Long.parseLong(arguments[0]) * 1_000_000_000L;
    computers(Integer.parseInt(arguments[1]), Long.parseLong(arguments[2]) * 1_000);
    Site unparked = new Site("unparked");
    Site inTime = new Site("inTime");
    Site sleeps = new Site("sleep");
    Site notified = new Site("notified");
    Site blocked = new Site("monitor");
    Site timeout = new Site("timeout");
    for (int i = Integer.parseInt(arguments[3]); i > 0; i--) {
      unparked(unparked, false);
      unparked(inTime, true);
      asleep(sleeps);
      notified(notified);
      blocked(blocked);
      timedOut(timeout);
    }
    for (Thread thread : STARTED) {
      thread.join(10_000); // who waits for a wake-up at the end waits for ever
    }
    for (Site site : SITES) {
      System.out.println("parked." + site.name + "=" + site.parked.sum());
      System.out.println("queued." + site.name + "=" + site.queued.sum());
      System.out.println("count." + site.name + "=" + site.count.sum());
    }
  }
}
