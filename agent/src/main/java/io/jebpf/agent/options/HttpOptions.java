package io.jebpf.agent.options;

import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The HTTP endpoint.
 *
 * @param host numeric address or name; empty for the loopback address
 * @param port 0 for any that is free
 * @param token that clients have to show; empty for none. Never shown
 */
public record HttpOptions(String host, int port, String token) {
  private static final int PORT_MAX = 65_535;
  private static final Pattern ADDRESS =
      Pattern.compile("(?:(?:\\[([0-9a-fA-F:.]+)]|([^:\\[\\]]*)):)?(\\d{1,5})");

  public HttpOptions {
    if (port < 0 || port > PORT_MAX) {
      throw new IllegalArgumentException("port " + port);
    }
  }

  /** Empty when the text is no address. */
  static Optional<HttpOptions> parse(String address, String token) {
    Matcher parts = ADDRESS.matcher(address);
    if (!parts.matches() || Integer.parseInt(parts.group(3)) > PORT_MAX) {
      return Optional.empty();
    }
    String host = parts.group(1) != null ? parts.group(1) : parts.group(2);
    return Optional.of(
        new HttpOptions(host == null ? "" : host, Integer.parseInt(parts.group(3)), token));
  }

  /** The address, as it is written; nothing of the token. */
  @Override
  public String toString() {
    return text(host.isEmpty() ? "127.0.0.1" : host, port);
  }

  /** An address as it is written in options and in URLs. */
  public static String text(InetSocketAddress address) {
    return text(address.getAddress().getHostAddress(), address.getPort());
  }

  private static String text(String host, int port) {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
