package io.jebpf.it.offcpu;

import io.jebpf.it.workload.AgentGate;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Waits of known length at known places. Each site is a thread and a method of its own, which sums
 * up how long it waited by the clock; the sums are printed as {@code true.<site>=nanoseconds}.
 * Arguments: seconds, a file to write, the profiler's period in milliseconds.
 */
public final class WaitLoad {

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final int MIXED_THREADS = 8;

  private static volatile long stopNanos;
  private static volatile boolean counting;

  /** One place that waits, and the truth about it. */
  private abstract static class Site extends Thread {
    final Random random;
    long waited;
    long count;

    Site(String name, int seed) {
      super(name);
      random = new Random(seed);
    }

    @Override
    public final void run() {
      try {
        while (System.nanoTime() < stopNanos) {
          long ran = THREADS.getCurrentThreadCpuTime();
          long start = System.nanoTime();
          long end = step(start);
          if (counting) {
            waited += end - start - (THREADS.getCurrentThreadCpuTime() - ran);
            count++;
          }
          pause();
        }
        finish();
      } catch (IOException e) {
        throw new IllegalStateException(getName(), e);
      }
    }

    /** Waits once; returns when the wait was over. */
    abstract long step(long start) throws IOException;

    void pause() {}

    void finish() throws IOException {}
  }

  private WaitLoad() {}

  static long sleep1(long start) {
    return nap(1);
  }

  static long sleep3(long start) {
    return nap(3);
  }

  static long sleep10(long start) {
    return nap(10);
  }

  static long sleep50(long start) {
    return nap(50);
  }

  static long sleep500(long start) {
    return nap(500);
  }

  private static long nap(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return System.nanoTime();
  }

  /**
   * Sleeps 1, 3, 10, 50 and 500 ms in random order, about as long in each, each at its own place.
   */
  private static final class Mixed extends Site {
    private static final int[] MILLIS = {1, 3, 10, 50, 500};
    private static final int[] CHANCES = {4000, 1390, 433, 88, 9}; // in proportion to 1 / length
    private static final int ALL_CHANCES = Arrays.stream(CHANCES).sum();
    private static final long[] SUMS = new long[MILLIS.length];
    private static final long[] COUNTS = new long[MILLIS.length];

    Mixed(int number) {
      super("site-mixed-" + number, number);
    }

    @Override
    long step(long start) {
      long ran = THREADS.getCurrentThreadCpuTime();
      int draw = random.nextInt(ALL_CHANCES);
      int which = 0;
      while (draw >= CHANCES[which]) {
        draw -= CHANCES[which++];
      }
      long end =
          switch (which) {
            case 0 -> sleep1(start);
            case 1 -> sleep3(start);
            case 2 -> sleep10(start);
            case 3 -> sleep50(start);
            default -> sleep500(start);
          };
      synchronized (SUMS) {
        SUMS[which] += end - start - (THREADS.getCurrentThreadCpuTime() - ran);
        COUNTS[which]++;
      }
      return end;
    }

    static void print() {
      for (int i = 0; i < MILLIS.length; i++) {
        System.out.println("true.sleep" + MILLIS[i] + "=" + SUMS[i]);
        System.out.println("count.sleep" + MILLIS[i] + "=" + COUNTS[i]);
      }
    }
  }

  /** Two places in turn, the changes in step with the profiler's period. */
  private static final class InStep extends Site {
    private final long periodNanos;
    private final long phaseNanos;
    private long inFirst;
    private long inSecond;

    InStep(String name, long periodNanos, long phaseNanos) {
      super(name, 1);
      this.periodNanos = periodNanos;
      this.phaseNanos = phaseNanos;
    }

    @Override
    long step(long start) {
      long ran = THREADS.getCurrentThreadCpuTime();
      long cell = start / periodNanos * periodNanos;
      long middle = first(cell + phaseNanos);
      long ranFirst = THREADS.getCurrentThreadCpuTime();
      inFirst += middle - start - (ranFirst - ran);
      long end = second(cell + periodNanos);
      inSecond += end - middle - (THREADS.getCurrentThreadCpuTime() - ranFirst);
      return end;
    }

    static long first(long until) {
      return parkUntil(until);
    }

    static long second(long until) {
      return parkUntil(until);
    }

    private static long parkUntil(long until) {
      for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
        LockSupport.parkNanos(left);
      }
      return System.nanoTime();
    }

    @Override
    void finish() {
      System.out.println("true." + getName() + ".first=" + inFirst);
      System.out.println("true." + getName() + ".second=" + inSecond);
    }
  }

  private static final class Locked extends Site {
    private static final ReentrantLock LOCK = new ReentrantLock();

    Locked() {
      super("site-lock", 1);
      Thread holder =
          new Thread(
              () -> {
                while (System.nanoTime() < stopNanos) {
                  LOCK.lock();
                  try {
                    nap(4);
                  } finally {
                    LOCK.unlock();
                  }
                  nap(1);
                }
              },
              "lock-holder");
      holder.setDaemon(true);
      holder.start();
    }

    @Override
    long step(long start) {
      return waitForLock(start);
    }

    static long waitForLock(long start) {
      LOCK.lock();
      LOCK.unlock();
      return System.nanoTime();
    }

    @Override
    void pause() {
      LockSupport.parkNanos(300_000);
    }
  }

  private static final class Monitor extends Site {
    private static final Object MONITOR = new Object();

    Monitor() {
      super("site-monitor", 1);
      Thread holder =
          new Thread(
              () -> {
                while (System.nanoTime() < stopNanos) {
                  synchronized (MONITOR) {
                    nap(25);
                  }
                  nap(5);
                }
              },
              "monitor-holder");
      holder.setDaemon(true);
      holder.start();
    }

    private long entered;

    @Override
    long step(long start) {
      return waitForMonitor(start);
    }

    long waitForMonitor(long start) {
      synchronized (MONITOR) {
        entered++;
      }
      return System.nanoTime();
    }

    @Override
    void pause() {
      LockSupport.parkNanos(2_000_000);
    }
  }

  private static final class PipeReader extends Site {
    private final Pipe pipe;

    PipeReader() throws IOException {
      super("site-pipe", 1);
      pipe = Pipe.open();
      Thread writer =
          new Thread(
              () -> {
                try {
                  while (System.nanoTime() < stopNanos + 1_000_000_000L) {
                    nap(7);
                    pipe.sink().write(ByteBuffer.allocate(1));
                  }
                } catch (IOException e) {
                  throw new IllegalStateException(e);
                }
              },
              "pipe-writer");
      writer.setDaemon(true);
      writer.start();
    }

    @Override
    long step(long start) throws IOException {
      return waitForPipe(start);
    }

    long waitForPipe(long start) throws IOException {
      pipe.source().read(ByteBuffer.allocate(1));
      return System.nanoTime();
    }
  }

  private static final class SocketReader extends Site {
    private final Socket socket;

    SocketReader() throws IOException {
      super("site-socket", 1);
      ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
      Thread peer =
          new Thread(
              () -> {
                try (Socket accepted = server.accept()) {
                  InputStream in = accepted.getInputStream();
                  OutputStream out = accepted.getOutputStream();
                  while (in.read() >= 0) {
                    nap(2);
                    out.write(1);
                  }
                } catch (IOException e) {
                  throw new IllegalStateException(e);
                }
              },
              "socket-peer");
      peer.setDaemon(true);
      peer.start();
      socket = new Socket(server.getInetAddress(), server.getLocalPort());
    }

    @Override
    long step(long start) throws IOException {
      return waitForSocket(start);
    }

    long waitForSocket(long start) throws IOException {
      socket.getOutputStream().write(1);
      socket.getInputStream().read();
      return System.nanoTime();
    }
  }

  private static final class Syncer extends Site {
    private final FileChannel file;

    Syncer(Path path) throws IOException {
      super("site-fsync", 1);
      file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }

    @Override
    long step(long start) throws IOException {
      return waitForDisk(start);
    }

    long waitForDisk(long start) throws IOException {
      file.write(ByteBuffer.allocate(4096), 0);
      file.force(true);
      return System.nanoTime();
    }

    @Override
    void pause() {
      LockSupport.parkNanos(1_000_000);
    }
  }

  public static void main(String[] arguments) throws Exception {
    long seconds = Long.parseLong(arguments[0]);
    Path file = Path.of(arguments[1]);
    long period = Long.parseLong(arguments[2]) * 1_000_000;
    AgentGate.await();
    stopNanos = System.nanoTime() + (seconds + 1) * 1_000_000_000L;
    List<Site> sites = new ArrayList<>();
    for (int i = 0; i < MIXED_THREADS; i++) {
      sites.add(new Mixed(i));
    }
    sites.add(new InStep("site-instep", period, period * 3 / 10));
    sites.add(new InStep("site-halfstep", period / 2, period / 5));
    sites.add(new Locked());
    sites.add(new Monitor());
    sites.add(new PipeReader());
    sites.add(new SocketReader());
    sites.add(new Syncer(file));
    counting = true;
    long from = System.nanoTime();
    for (Site site : sites) {
      site.start();
    }
    for (Site site : sites) {
      site.join();
    }
    System.out.println("nanos=" + (System.nanoTime() - from));
    Mixed.print();
    for (Site site : sites) {
      System.out.println("true." + site.getName() + "=" + site.waited);
      System.out.println("count." + site.getName() + "=" + site.count);
    }
    Files.deleteIfExists(file);
  }
}
