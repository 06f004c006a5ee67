package io.jebpf.it.offcpu;

import io.jebpf.it.workload.AgentGate;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;

/**
 * Loads whose cost is in switching between threads, for the benchmark and the budget's test.
 * Arguments: {@code park}, {@code pipe} and seconds (a ball is played between two threads; prints
 * the median of the nanoseconds there and back), {@code virtual} and seconds (the same by two
 * virtual threads, in stretches that ticks fall into), {@code parked} and a number of threads,
 * {@code server} and a port, {@code client}, ports, blocks of requests, their interval in
 * microseconds, and seconds to warm up.
 */
public final class SwitchLoad {
  private static final int WARM_UP_ROUNDS = 20_000;
  private static final int BATCH_ROUNDS = 2_000;
  private static final int VIRTUAL_BATCH_ROUNDS = 50_000; // about 25 ms
  private static final int BATCHES_MAX = 10_000;

  /** Of a server in a block: 20,000 requests, 20 of which are slower than the 99.9th percentile. */
  private static final int TURNS = 20;

  private static final int TURN_REQUESTS = 1_000;

  private SwitchLoad() {}

  /** One exchange. */
  private interface Exchange {
    void once() throws IOException;
  }

  public static void main(String[] arguments) throws Exception {
    switch (arguments[0]) {
      case "park" ->
          play(park(Thread.ofPlatform().daemon()), Integer.parseInt(arguments[1]), BATCH_ROUNDS);
      case "pipe" -> play(pipe(), Integer.parseInt(arguments[1]), BATCH_ROUNDS);
      case "virtual" -> virtual(Integer.parseInt(arguments[1]));
      case "parked" -> parked(Integer.parseInt(arguments[1]));
      case "server" -> server(Integer.parseInt(arguments[1]));
      case "client" ->
          client(
              arguments[1],
              Integer.parseInt(arguments[2]),
              Long.parseLong(arguments[3]) * 1_000,
              Long.parseLong(arguments[4]) * 1_000_000_000);
      default -> throw new IllegalArgumentException(arguments[0]);
    }
    System.out.flush();
    Runtime.getRuntime().exit(0);
  }

  private static void virtual(int seconds) throws Exception {
    AgentGate.await(); // here: a virtual thread has no CPU clock to burn by
    Callable<Void> game =
        () -> {
          play(park(Thread.ofVirtual()), seconds, VIRTUAL_BATCH_ROUNDS);
          return null;
        };
    FutureTask<Void> played = new FutureTask<>(game);
    Thread.ofVirtual().name("ping").start(played);
    played.get();
  }

  private static void play(Exchange exchange, int seconds, int batchRounds) throws Exception {
    AgentGate.await();
    for (int i = 0; i < WARM_UP_ROUNDS; i++) {
      exchange.once();
    }
    System.out.println("ready");
    System.out.flush();
    long[] batches = new long[BATCHES_MAX];
    int count = 0;
    long end = System.nanoTime() + seconds * 1_000_000_000L;
    while (System.nanoTime() < end && count < BATCHES_MAX) {
      long from = System.nanoTime();
      for (int i = 0; i < batchRounds; i++) {
        exchange.once();
      }
      batches[count++] = (System.nanoTime() - from) / batchRounds;
    }
    Arrays.sort(batches, 0, count);
    System.out.println("rounds=" + (long) count * batchRounds);
    System.out.println("median=" + batches[count / 2]);
  }

  private static Exchange park(Thread.Builder builder) {
    Thread first = Thread.currentThread();
    int[] turn = new int[1];
    java.lang.invoke.VarHandle handle =
        java.lang.invoke.MethodHandles.arrayElementVarHandle(int[].class);
    Thread second =
        builder
            .name("pong")
            .start(
                () -> {
                  while (true) {
                    while ((int) handle.getAcquire(turn, 0) != 1) {
                      LockSupport.park();
                    }
                    handle.setRelease(turn, 0, 0);
                    LockSupport.unpark(first);
                  }
                });
    return () -> {
      handle.setRelease(turn, 0, 1);
      LockSupport.unpark(second);
      while ((int) handle.getAcquire(turn, 0) != 0) {
        LockSupport.park();
      }
    };
  }

  private static Exchange pipe() throws IOException {
    Pipe there = Pipe.open();
    Pipe back = Pipe.open();
    daemon(
        "pong",
        () -> {
          ByteBuffer ball = ByteBuffer.allocateDirect(1);
          try {
            while (there.source().read(ball.clear()) > 0) {
              back.sink().write(ball.flip());
            }
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
    ByteBuffer ball = ByteBuffer.allocateDirect(1);
    return () -> {
      there.sink().write(ball.clear());
      back.source().read(ball.clear());
    };
  }

  private static void parked(int threads) throws InterruptedException {
    CountDownLatch started = new CountDownLatch(threads);
    for (int i = 0; i < threads; i++) {
      Thread thread =
          new Thread(
              null,
              () -> {
                started.countDown();
                while (true) {
                  LockSupport.park();
                }
              },
              "parked-" + i,
              128 * 1024);
      thread.setDaemon(true);
      thread.start();
    }
    started.await();
    System.out.println("ready");
    System.out.flush();
    Thread.sleep(Long.MAX_VALUE);
  }

  private static void server(int port) throws Exception {
    AgentGate.await();
    try (ServerSocket server = new ServerSocket(port, 5, InetAddress.getLoopbackAddress())) {
      System.out.println("ready");
      System.out.flush();
      try (Socket socket = server.accept()) {
        socket.setTcpNoDelay(true);
        InputStream in = socket.getInputStream();
        OutputStream out = socket.getOutputStream();
        byte[] bytes = new byte[64];
        for (int got = in.read(bytes); got > 0; got = in.read(bytes)) {
          out.write(bytes, 0, got);
        }
      }
    }
  }

  /**
   * Asks each server in turn, for some tenths of a second, so that whatever else goes on here meets
   * them all alike. Prints percentiles of each block of turns, in the order of the ports.
   */
  private static void client(String ports, int blocks, long intervalNanos, long warmUpNanos)
      throws IOException {
    List<Socket> servers = new ArrayList<>();
    for (String port : ports.split(",")) {
      Socket socket = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(port));
      socket.setTcpNoDelay(true);
      servers.add(socket);
    }
    long[][] nanos = new long[servers.size()][TURNS * TURN_REQUESTS];
    long warm = System.nanoTime() + warmUpNanos;
    while (System.nanoTime() < warm) {
      for (Socket server : servers) {
        ask(server, nanos[0], 0, intervalNanos);
      }
    }
    for (int block = 0; block < blocks; block++) {
      for (int turn = 0; turn < TURNS; turn++) {
        for (int i = 0; i < servers.size(); i++) {
          int server = (turn + i) % servers.size();
          ask(servers.get(server), nanos[server], turn * TURN_REQUESTS, intervalNanos);
        }
      }
      for (int server = 0; server < servers.size(); server++) {
        long[] sorted = nanos[server];
        Arrays.sort(sorted);
        System.out.printf("p50.%d.%d=%d%n", server, block, sorted[sorted.length / 2]);
        System.out.printf("p999.%d.%d=%d%n", server, block, sorted[(int) (sorted.length * 0.999)]);
      }
    }
  }

  private static void ask(Socket server, long[] nanos, int at, long intervalNanos)
      throws IOException {
    byte[] bytes = new byte[64];
    for (int i = at; i < at + TURN_REQUESTS; i++) {
      long from = System.nanoTime();
      server.getOutputStream().write(bytes);
      server.getInputStream().readNBytes(bytes, 0, bytes.length);
      nanos[i] = System.nanoTime() - from;
      LockSupport.parkNanos(intervalNanos);
    }
  }

  private static Thread daemon(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }
}
