package io.jebpf.it.offcpu;

import io.jebpf.it.workload.AgentGate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.ReentrantLock;

/** Threads that wait long for a lock, a queue and a socket, each woken by one known thread. */
public final class WakerLoad {
  /** Longer than the 15 bytes that the kernel keeps of a name. */
  public static final String WAKER = "known-waker-with-a-long-name";

  private static final int PAUSE_MILLIS = 40; // above offcpu.waker

  private static final ReentrantLock LOCK = new ReentrantLock(true);
  private static final BlockingQueue<Integer> QUEUE = new LinkedBlockingQueue<>();

  private static volatile boolean done;

  private WakerLoad() {}

  /** Argument: rounds. */
  public static void main(String[] args) throws Exception {
    int rounds = Integer.parseInt(args[0]);
    AgentGate.await();
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Socket out = new Socket(server.getInetAddress(), server.getLocalPort());
        Socket in = server.accept()) {
      Thread[] threads = {
        new Thread(() -> lock(), "lock-waiter"),
        new Thread(() -> queue(rounds), "queue-waiter"),
        new Thread(() -> socket(in, rounds), "socket-waiter"),
        new Thread(() -> wake(out, rounds), WAKER)
      };
      for (Thread thread : threads) {
        thread.start();
      }
      for (Thread thread : threads) {
        thread.join();
      }
    }
  }

  private static void wake(Socket out, int rounds) {
    try {
      for (int i = 0; i < rounds; i++) {
        LOCK.lock();
        Thread.sleep(PAUSE_MILLIS);
        LOCK.unlock();
        QUEUE.put(i);
        out.getOutputStream().write(i);
      }
      done = true;
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void lock() {
    while (!done) {
      LOCK.lock();
      LOCK.unlock();
    }
  }

  private static void queue(int rounds) {
    try {
      for (int i = 0; i < rounds; i++) {
        QUEUE.take();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void socket(Socket in, int rounds) {
    try {
      for (int i = 0; i < rounds; i++) {
        in.getInputStream().read();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
