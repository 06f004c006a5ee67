package io.jebpf.it.receiver;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;

/**
 * A port on which a connection is never made: nobody accepts, and the queue of those who wait is
 * full, so that the kernel drops what more come.
 */
public final class FullBacklog implements AutoCloseable {
  private static final int CONNECT_MILLIS = 300;
  private static final int CONNECTIONS_MAX = 64;

  private final ServerSocket listening;
  private final List<Socket> waiting = new ArrayList<>();

  public FullBacklog() throws IOException {
    listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    while (connects()) {
      if (waiting.size() > CONNECTIONS_MAX) {
        throw new IOException("the queue of port " + port() + " does not fill");
      }
    }
  }

  private boolean connects() throws IOException {
    Socket socket = new Socket();
    waiting.add(socket);
    try {
      socket.connect(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), port()), CONNECT_MILLIS);
      return true;
    } catch (SocketTimeoutException e) {
      return false; // full
    }
  }

  public int port() {
    return listening.getLocalPort();
  }

  @Override
  public void close() throws IOException {
    for (Socket socket : waiting) {
      if (!socket.isClosed()) { // one that was refused is
        socket.setSoLinger(true, 0); // no port may stay in TIME_WAIT
        socket.close();
      }
    }
    listening.close();
  }
}
