package io.jebpf.it.workload;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** Prints a TCP port of the loopback address that nobody uses. */
public final class FreePort {
  private FreePort() {}

  public static void main(String[] args) throws IOException {
    System.out.println(find());
  }

  /**
   * A free port; another process may take it before it is used, which a retry of the whole run
   * answers.
   */
  public static int find() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
