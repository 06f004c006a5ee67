package io.jebpf.it.offcpu;

import io.jebpf.it.workload.AgentGate;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Virtual threads that park for known times at known places. Each site is a method of its own; what
 * its threads waited by the clock is printed as {@code true.<site>=nanoseconds}, how often as
 * {@code count.<site>}. Arguments: seconds, and for how many threads of each site.
 */
public final class ParkLoad {
  public static final int DEEP = 60;

  private static volatile long stopNanos;
  private static final List<Thread> STARTED = new ArrayList<>();
  private static final List<Site> SITES = new ArrayList<>();

  /** One place that waits. */
  private interface Wait {
    void once() throws Exception;
  }

  /** One place, and the truth about it. */
  private static final class Site {
    final String name;
    final LongAdder waited = new LongAdder();
    final LongAdder count = new LongAdder();

    Site(String name) {
      this.name = name;
      SITES.add(this);
    }

    void add(long nanos) {
      waited.add(nanos);
      count.increment();
    }

    /** Starts a virtual thread that waits here again and again. */
    void thread(Wait wait) {
      thread(wait, () -> {});
    }

    /** The same, with something between that does not count. */
    void thread(Wait wait, Wait between) {
      STARTED.add(
          Thread.ofVirtual()
              .name("park-" + name)
              .start(
                  () -> {
                    try {
                      while (System.nanoTime() < stopNanos) {
                        long start = System.nanoTime();
                        wait.once();
                        add(System.nanoTime() - start);
                        between.once();
                      }
                    } catch (Exception e) {
                      e.printStackTrace();
                    }
                  }));
    }
  }

  private ParkLoad() {}

  static void sleep1() throws InterruptedException {
    Thread.sleep(1);
  }

  static void sleep3() throws InterruptedException {
    Thread.sleep(3);
  }

  static void sleep10() throws InterruptedException {
    Thread.sleep(10);
  }

  static void sleep50() throws InterruptedException {
    Thread.sleep(50);
  }

  static void sleep500() throws InterruptedException {
    Thread.sleep(500);
  }

  static void park5() {
    LockSupport.parkNanos(5_000_000);
  }

  /** Parks below many frames, most of which stay in the heap when it goes on. */
  static void deep(int frames) {
    if (frames == 0) {
      LockSupport.parkNanos(7_000_000);
    } else {
      deep(frames - 1);
    }
  }

  static void takeFromQueue(BlockingQueue<Integer> queue) throws InterruptedException {
    queue.take();
  }

  static void waitForLock(ReentrantLock lock) {
    lock.lock();
  }

  static void waitForMonitor(Object monitor) {
    synchronized (monitor) {
      Thread.onSpinWait();
    }
  }

  /** The same below many frames. */
  static void deepMonitor(Object monitor, int frames) {
    if (frames == 0) {
      synchronized (monitor) {
        Thread.onSpinWait();
      }
    } else {
      deepMonitor(monitor, frames - 1);
    }
  }

  static void holdMonitor(Object monitor) throws InterruptedException {
    synchronized (monitor) {
      Thread.sleep(3);
    }
  }

  private static void pause() {
    LockSupport.parkNanos(1_000_000);
  }

  static void waitForTimeout(Object monitor) throws InterruptedException {
    synchronized (monitor) {
      monitor.wait(20);
    }
  }

  static void waitForNotify(Object monitor) throws InterruptedException {
    synchronized (monitor) {
      monitor.wait();
    }
  }

  static void waitForSocket(Socket socket) throws IOException {
    socket.getOutputStream().write(1);
    socket.getInputStream().read();
  }

  private static void sleeps(int each) {
    Site one = new Site("sleep1");
    Site three = new Site("sleep3");
    Site ten = new Site("sleep10");
    Site fifty = new Site("sleep50");
    Site many = new Site("sleep500");
    Site park = new Site("park5");
    Site deep = new Site("deep");
    for (int i = 0; i < each; i++) {
      one.thread(ParkLoad::sleep1);
      three.thread(ParkLoad::sleep3);
      ten.thread(ParkLoad::sleep10);
      fifty.thread(ParkLoad::sleep50);
      many.thread(ParkLoad::sleep500);
      park.thread(ParkLoad::park5);
      deep.thread(() -> deep(DEEP));
    }
  }

  private static void queues(int each) {
    Site site = new Site("queue");
    for (int i = 0; i < each; i++) {
      BlockingQueue<Integer> queue = new ArrayBlockingQueue<>(4);
      platform(
          () -> {
            while (System.nanoTime() < stopNanos + 100_000_000L) {
              Thread.sleep(4);
              queue.offer(1);
            }
          });
      site.thread(() -> takeFromQueue(queue));
    }
  }

  /** Two threads a lock; each holds it for 3 ms, so that the other waits for 3 ms. */
  private static void locks(int each) {
    Site site = new Site("lock");
    for (int i = 0; i < each; i++) {
      ReentrantLock lock = new ReentrantLock(true);
      for (int both = 0; both < 2; both++) {
        STARTED.add(
            Thread.ofVirtual()
                .name("park-lock")
                .start(
                    () -> {
                      while (System.nanoTime() < stopNanos) {
                        long start = System.nanoTime();
                        waitForLock(lock);
                        site.add(System.nanoTime() - start);
                        LockSupport.parkNanos(3_000_000);
                        lock.unlock();
                      }
                    }));
      }
    }
  }

  private static void sockets(int each) throws IOException {
    Site site = new Site("socket");
    ServerSocket server = new ServerSocket(0, each, InetAddress.getLoopbackAddress());
    for (int i = 0; i < each; i++) {
      Socket socket = new Socket(server.getInetAddress(), server.getLocalPort());
      Socket accepted = server.accept();
      platform(
          () -> {
            InputStream in = accepted.getInputStream();
            OutputStream out = accepted.getOutputStream();
            while (in.read() >= 0) {
              Thread.sleep(4);
              out.write(1);
            }
          });
      site.thread(() -> waitForSocket(socket));
    }
  }

  /** Of each monitor one thread has it for 3 ms at a time; two others want it. */
  private static void monitors(int each) {
    Site site = new Site("monitor");
    Site deep = new Site("deepMonitor");
    Site hold = new Site("hold");
    Site timeout = new Site("timeout");
    Site notify = new Site("notify");
    for (int i = 0; i < each; i++) {
      Object monitor = new Object();
      hold.thread(() -> holdMonitor(monitor), ParkLoad::pause);
      site.thread(() -> waitForMonitor(monitor), ParkLoad::pause);
      deep.thread(() -> deepMonitor(monitor, DEEP), ParkLoad::pause);
      Object own = new Object();
      timeout.thread(() -> waitForTimeout(own));
      Object notified = new Object();
      platform(
          () -> {
            while (System.nanoTime() < stopNanos + 100_000_000L) {
              Thread.sleep(4);
              synchronized (notified) {
                notified.notifyAll();
              }
            }
          });
      notify.thread(() -> waitForNotify(notified));
    }
  }

  private static void platform(Wait body) {
    Thread thread =
        new Thread(
            () -> {
              try {
                body.once();
              } catch (Exception e) {
                return; // the other side is gone: the run is over
              }
            },
            "peer");
    thread.setDaemon(true);
    thread.start();
  }

  /** Whether the profiler's class is in java.base: then virtual threads call it. */
  private static boolean isHooked() {
    try {
      Class.forName("java.lang.JebpfParks", false, null);
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  public static void main(String[] arguments) throws Exception {
    long seconds = Long.parseLong(arguments[0]);
    int each = Integer.parseInt(arguments[1]);
    AgentGate.await();
    stopNanos = System.nanoTime() + seconds * 1_000_000_000L;
    sleeps(each);
    queues(each);
    locks(each);
    sockets(each);
    monitors(each);
    for (Thread thread : STARTED) {
      thread.join();
    }
    System.out.println("hooked=" + (isHooked() ? 1 : 0));
    for (Site site : SITES) {
      System.out.println("true." + site.name + "=" + site.waited.sum());
      System.out.println("count." + site.name + "=" + site.count.sum());
    }
  }
}
