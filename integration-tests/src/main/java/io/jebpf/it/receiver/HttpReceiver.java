package io.jebpf.it.receiver;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ServerSocketFactory;

/**
 * A small HTTP/1.1 server on real sockets that can be told to do wrong at any point. Written for
 * the tests: what is asked of a sender is asked on the wire.
 */
public final class HttpReceiver implements AutoCloseable {
  private static final int BODY_BYTES_MAX = 256 << 20;

  private final ServerSocket listening;
  private final Exchange.Handler handler;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final AtomicLong connections = new AtomicLong();
  private final AtomicLong requests = new AtomicLong();
  private volatile Fault fault = Fault.NONE;
  private volatile boolean closed;

  private HttpReceiver(ServerSocket listening, Exchange.Handler handler) {
    this.listening = listening;
    this.handler = handler;
    Thread.ofPlatform().daemon().name("receiver-accept").start(this::accept);
  }

  public static HttpReceiver start(Exchange.Handler handler) {
    return start(0, ServerSocketFactory.getDefault(), handler);
  }

  /** On a port of its own or the one given; with TLS when the factory makes such sockets. */
  public static HttpReceiver start(
      int port, ServerSocketFactory sockets, Exchange.Handler handler) {
    try {
      return new HttpReceiver(
          sockets.createServerSocket(port, 1024, InetAddress.getLoopbackAddress()), handler);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot listen on port " + port, e);
    }
  }

  public int port() {
    return listening.getLocalPort();
  }

  public String url() {
    return "http://127.0.0.1:" + port();
  }

  /** For the connections and requests that come from now on; those that hang are ended. */
  public void fault(Fault next) {
    fault = next;
    closeAll();
  }

  public long connections() {
    return connections.get();
  }

  /** Whole requests that were read. */
  public long requests() {
    return requests.get();
  }

  private void accept() {
    while (!closed) {
      try {
        Socket socket = listening.accept();
        open.add(socket);
        connections.incrementAndGet();
        Thread.ofVirtual().start(() -> serve(socket));
      } catch (IOException e) {
        if (!closed) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      InputStream in = new BufferedInputStream(socket.getInputStream());
      while (!closed && one(socket, in)) {}
    } catch (IOException e) {
      // the other side's affair, and often the test's purpose
    } finally {
      open.remove(socket);
    }
  }

  /** One request; false when the connection is at its end. */
  private boolean one(Socket socket, InputStream in) throws IOException {
    if (fault == Fault.HANG_AT_ONCE) {
      hang(socket);
      return false;
    }
    String[] request = line(in).split(" ");
    if (request.length != 3) {
      return false;
    }
    Map<String, String> headers = new HashMap<>();
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    int length = Integer.parseInt(headers.getOrDefault("content-length", "-1"));
    if (length < 0 || length > BODY_BYTES_MAX) {
      answer(socket, new Exchange.Answer(411, Map.of(), new byte[0]));
      return false;
    }
    if (fault == Fault.RESET_IN_BODY) {
      in.readNBytes(length / 2);
      reset(socket);
      return false;
    }
    byte[] body = in.readNBytes(length);
    if (body.length < length) {
      return false;
    }
    requests.incrementAndGet();
    return reply(socket, new Exchange(request[0], request[1], headers, body));
  }

  private boolean reply(Socket socket, Exchange exchange) throws IOException {
    OutputStream out = socket.getOutputStream();
    switch (fault) {
      case HANG_AFTER_REQUEST -> hang(socket);
      case HANG_AFTER_STORING -> {
        handler.answer(exchange);
        hang(socket);
      }
      case RESET_AFTER_REQUEST -> reset(socket);
      case HALF_CLOSE -> {
        socket.shutdownOutput();
        hang(socket);
      }
      case GARBAGE ->
          out.write("\u0001\u0002 this is no HTTP\r\n\r\n".getBytes(StandardCharsets.UTF_8));
      case ENDLESS -> {
        out.write(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n".getBytes(StandardCharsets.UTF_8));
        while (fault == Fault.ENDLESS && !closed) {
          out.write(new byte[8192]);
        }
      }
      case SLOW -> {
        for (byte next : "HTTP/1.1 200 OK\r\nX: ".getBytes(StandardCharsets.UTF_8)) {
          out.write(next);
          pause(200);
        }
        while (fault == Fault.SLOW && !closed) {
          out.write('x');
          pause(200);
        }
      }
      default -> {
        answer(socket, handler.answer(exchange));
        return true;
      }
    }
    return false;
  }

  private static void answer(Socket socket, Exchange.Answer answer) throws IOException {
    StringBuilder head = new StringBuilder("HTTP/1.1 " + answer.status() + " x\r\n");
    answer.headers().forEach((name, value) -> head.append(name + ": " + value + "\r\n"));
    head.append("Content-Length: " + answer.body().length + "\r\n\r\n");
    OutputStream out = socket.getOutputStream();
    out.write(head.toString().getBytes(StandardCharsets.UTF_8));
    out.write(answer.body());
    out.flush();
  }

  private void hang(Socket socket) {
    while (!closed && !socket.isClosed()) {
      pause(20);
    }
  }

  private static void reset(Socket socket) throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next >= 0 && next != '\n'; next = in.read()) {
      if (next != '\r') {
        line.append((char) next);
      }
    }
    return line.toString();
  }

  private void closeAll() {
    for (Socket socket : open) {
      try {
        socket.close();
      } catch (IOException e) {
        open.remove(socket);
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    try {
      listening.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    closeAll();
  }
}
