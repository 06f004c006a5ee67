package io.jebpf.it.offcpu;

import io.jebpf.it.workload.AgentGate;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that wait once, each under a name of its own, and how long each slept by the scheduler's
 * books: elapsed time less what it ran and what it waited for a CPU. Prints {@code
 * slept.<thread>=nanoseconds}. Arguments: threads at once, rounds.
 */
public final class LengthLoad {
  private static final int[] MILLIS = {21, 25, 33, 40, 70, 120, 250, 500};
  private static final String[] WAYS = {"sleep", "park", "wait", "read"};

  /** Rounds in which code is loaded, linked and compiled: one wait may be several. */
  private static final int FIRST_ROUNDS = 2;

  private LengthLoad() {}

  /** Elapsed time, and of it the time running and the time on the run queue. */
  private record Moment(long nanos, long ran, long queued) {
    static Moment now() throws IOException {
      String[] books = Files.readString(Path.of("/proc/thread-self/schedstat")).split(" ");
      return new Moment(System.nanoTime(), Long.parseLong(books[0]), Long.parseLong(books[1]));
    }

    long sleptUntil(Moment end) {
      return end.nanos - nanos - (end.ran - ran) - (end.queued - queued);
    }
  }

  private static void once(String way, int millis, Socket silent) {
    try {
      Moment begin = Moment.now();
      waits(way, millis, silent);
      long slept = begin.sleptUntil(Moment.now());
      synchronized (WAYS) {
        System.out.println("slept." + Thread.currentThread().getName() + "=" + slept);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  static void waits(String way, int millis, Socket silent)
      throws IOException, InterruptedException {
    switch (way) {
      case "sleep" -> Thread.sleep(millis);
      case "park" -> LockSupport.parkNanos(millis * 1_000_000L);
      case "wait" -> {
        Object monitor = new Object();
        synchronized (monitor) {
          monitor.wait(millis);
        }
      }
      default -> {
        silent.setSoTimeout(millis);
        InputStream in = silent.getInputStream();
        try {
          in.read();
        } catch (SocketTimeoutException e) {
          return; // as it is to be
        }
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    int threadsAtOnce = Integer.parseInt(arguments[0]);
    int rounds = Integer.parseInt(arguments[1]);
    AgentGate.await();
    // Nobody accepts: all of them stay in the backlog.
    try (ServerSocket server = new ServerSocket(0, 4096, InetAddress.getLoopbackAddress())) {
      for (int round = 0; round < rounds + FIRST_ROUNDS; round++) {
        List<Thread> threads = new ArrayList<>();
        List<Socket> sockets = new ArrayList<>();
        for (int i = 0; i < threadsAtOnce; i++) {
          String way = WAYS[i % WAYS.length];
          int millis = MILLIS[i / WAYS.length % MILLIS.length];
          Socket silent = new Socket(server.getInetAddress(), server.getLocalPort());
          sockets.add(silent);
          String name =
              (round < FIRST_ROUNDS ? "first-" : way + "-") + round + "-" + i + "-" + millis;
          threads.add(new Thread(() -> once(way, millis, silent), name));
        }
        for (Thread thread : threads) {
          thread.start();
        }
        for (Thread thread : threads) {
          thread.join();
        }
        for (Socket socket : sockets) {
          socket.close();
        }
      }
    }
  }
}
