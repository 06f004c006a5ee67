package io.jebpf.agent.http;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One client: its request is read, answered, and the connection closed. What takes longer than its
 * part's deadline is cut off by {@link #closeIfLate}, whatever the client does or does not do.
 */
final class HttpConnection {
  private static final long READ_NANOS = 10_000_000_000L;
  private static final long WRITE_NANOS = 30_000_000_000L;

  /** Beside the seconds that were asked for: to put the profile together. */
  private static final long WORK_NANOS = 120_000_000_000L;

  private static final int BODY_BYTES_MAX = 64 << 10;

  /** What a client may still send after it was refused, so that it comes to read the answer. */
  private static final int LINGER_BYTES_MAX = 4 << 20;

  private static final int LINGER_MILLIS = 1_000;

  private final Socket socket;
  private volatile long deadlineNanos = System.nanoTime() + READ_NANOS;

  HttpConnection(Socket socket) {
    this.socket = socket;
  }

  void closeIfLate(long nowNanos) {
    if (nowNanos - deadlineNanos > 0) {
      close();
    }
  }

  void run(Endpoints endpoints, AtomicLong requests) throws IOException {
    InputStream in = new BufferedInputStream(socket.getInputStream(), 4096);
    HttpResponse response;
    boolean withBody = true;
    boolean whole = true;
    try {
      Optional<HttpRequest> request = HttpRequest.read(in);
      if (request.isEmpty()) {
        return;
      }
      requests.incrementAndGet();
      withBody = !request.get().method().equals("HEAD");
      skipBody(in, request.get());
      deadlineNanos = System.nanoTime() + WORK_NANOS + Endpoints.SECONDS_MAX * 1_000_000_000L;
      response = endpoints.answer(request.get());
    } catch (HttpRequest.Refused e) {
      whole = false;
      response = HttpResponse.error(e.status, e.getMessage());
    }
    deadlineNanos = System.nanoTime() + WRITE_NANOS;
    write(response, withBody);
    if (!whole) {
      linger(in);
    }
  }

  /** pprof posts addresses to be named; they need not be looked at. */
  private static void skipBody(InputStream in, HttpRequest request)
      throws IOException, HttpRequest.Refused {
    if (request.headers().containsKey("transfer-encoding")) {
      throw new HttpRequest.Refused(400, "no request needs a body");
    }
    String length = request.header("content-length");
    if (!length.matches("\\d{0,9}")) {
      throw new HttpRequest.Refused(400, "content-length");
    }
    int bytes = length.isEmpty() ? 0 : Integer.parseInt(length);
    if (bytes > BODY_BYTES_MAX) {
      throw new HttpRequest.Refused(400, "a body of more than " + BODY_BYTES_MAX + " bytes");
    }
    in.skipNBytes(bytes);
  }

  private void write(HttpResponse response, boolean withBody) throws IOException {
    OutputStream out = socket.getOutputStream();
    out.write(response.head());
    if (withBody) {
      out.write(response.body());
    }
    out.flush();
  }

  private void linger(InputStream in) throws IOException {
    socket.shutdownOutput();
    socket.setSoTimeout(LINGER_MILLIS);
    byte[] unread = new byte[8192];
    int sum = 0;
    for (int n = in.read(unread); n > 0 && sum < LINGER_BYTES_MAX; n = in.read(unread)) {
      sum += n;
    }
  }

  /** On the accepting thread, so it must not wait: an answer of this size fits the socket. */
  void sendAway(HttpResponse response) {
    try {
      write(response, true);
    } catch (IOException e) {
      // it is being closed in any case
    }
    close();
  }

  void close() {
    try {
      socket.close();
    } catch (IOException e) {
      // there is nothing left to do with it
    }
  }
}
