package io.jebpf.agent.http;

import io.jebpf.agent.log.AgentLog;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A small HTTP server with a limit on everything: one request a connection, a bounded number of
 * connections, a deadline for each part of one. Owns the threads {@code jebpf-http-…}: one accepts
 * and closes what is late, each connection has one while it lasts.
 *
 * <p>Not the JDK's server (com.sun.net.httpserver): it has no deadline for slow clients but through
 * system properties of the whole JVM, which are the application's; it sets the JDK's logging up;
 * and its module may be missing.
 */
public final class HttpServer implements AutoCloseable {
  /** As many scrapes as can wait at once; a connection more is answered 503. */
  static final int CONNECTIONS_MAX = 256;

  private static final int BACKLOG = 128;
  private static final int TICK_MILLIS = 500;
  private static final long IDLE_SECONDS = 10;

  /** Deep stacks become deep pictures, which are drawn by recursion. */
  private static final long STACK_BYTES = 1 << 20;

  private final ServerSocket socket;
  private final Endpoints endpoints;
  private final AgentLog log;
  private final Set<HttpConnection> connections = ConcurrentHashMap.newKeySet();
  private final AtomicInteger threads = new AtomicInteger();
  private final AtomicLong requests = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private final ThreadPoolExecutor workers;
  private volatile boolean closed;

  private HttpServer(ServerSocket socket, Endpoints endpoints, AgentLog log) {
    this.socket = socket;
    this.endpoints = endpoints;
    this.log = log;
    this.workers =
        new ThreadPoolExecutor(
            0,
            CONNECTIONS_MAX,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            work -> thread(work, threads.incrementAndGet()));
  }

  /** Opens the address; throws IOException when it cannot be had. */
  public static HttpServer open(InetSocketAddress address, Endpoints endpoints, AgentLog log)
      throws IOException {
    ServerSocket socket = new ServerSocket();
    try {
      socket.setReuseAddress(true);
      socket.setSoTimeout(TICK_MILLIS);
      socket.bind(address, BACKLOG);
    } catch (IOException e) {
      socket.close();
      throw e;
    }
    HttpServer server = new HttpServer(socket, endpoints, log);
    thread(server::accept, 0).start();
    return server;
  }

  private static Thread thread(Runnable work, int number) {
    Thread thread = new Thread(null, work, "jebpf-http-" + number, STACK_BYTES, false);
    thread.setDaemon(true);
    thread.setContextClassLoader(HttpServer.class.getClassLoader());
    thread.setUncaughtExceptionHandler((failed, cause) -> {}); // never on the host's stderr
    return thread;
  }

  /** Where it listens; the port that the system chose when 0 was asked for. */
  public InetSocketAddress address() {
    return (InetSocketAddress) socket.getLocalSocketAddress();
  }

  /** Requests that were read, whatever the answer. */
  public long requests() {
    return requests.get();
  }

  /** Connections that were sent away because there were too many. */
  public long refused() {
    return refused.get();
  }

  public int connections() {
    return connections.size();
  }

  private void accept() {
    while (!closed) {
      try {
        acceptOne();
      } catch (Throwable e) { // the agent's edge; where the heap is full, nothing can be told
        LockSupport.parkNanos(TICK_MILLIS * 1_000_000L);
      }
    }
  }

  private void acceptOne() {
    try {
      serve(socket.accept());
    } catch (SocketTimeoutException e) {
      // nobody came
    } catch (IOException | RuntimeException e) {
      pause(e); // no file descriptor left, or we are closed
    }
    long now = System.nanoTime();
    connections.forEach(connection -> connection.closeIfLate(now));
  }

  private void pause(Throwable cause) {
    if (!closed) {
      log.debug("HTTP: " + cause);
      LockSupport.parkNanos(TICK_MILLIS * 1_000_000L);
    }
  }

  private void serve(Socket client) {
    HttpConnection connection = new HttpConnection(client);
    connections.add(connection);
    try {
      workers.execute(() -> run(connection));
    } catch (java.util.concurrent.RejectedExecutionException e) {
      refused.incrementAndGet();
      connections.remove(connection);
      connection.sendAway(
          HttpResponse.error(503, "too many requests at once").with("Retry-After", "1"));
    }
  }

  private void run(HttpConnection connection) {
    try {
      connection.run(endpoints, requests);
    } catch (IOException e) {
      if (log.isDebug()) {
        log.debug("HTTP: " + e); // the client is gone, or was late
      }
    } catch (Throwable e) { // the agent's edge: a defect costs one answer
      log.debug("HTTP: " + e);
    } finally {
      connections.remove(connection);
      connection.close();
    }
  }

  /** Ends at once; clients that wait get no answer. */
  @Override
  public void close() {
    closed = true;
    try {
      socket.close();
    } catch (IOException e) {
      log.debug("HTTP: " + e);
    }
    workers.shutdownNow();
    connections.forEach(HttpConnection::close);
  }
}
