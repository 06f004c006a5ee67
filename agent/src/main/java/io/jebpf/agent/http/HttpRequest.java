package io.jebpf.agent.http;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The head of one HTTP/1.x request. Bounded, and strict: what is not understood is refused.
 *
 * @param method upper case
 * @param path decoded, without the query
 * @param parameters of the query, decoded; of several with one name the last
 * @param headers names in lower case
 */
record HttpRequest(
    String method, String path, Map<String, String> parameters, Map<String, String> headers) {

  /** Longest head, and most headers and parameters in it. */
  static final int HEAD_BYTES_MAX = 16 << 10;

  private static final int FIELDS_MAX = 100;

  /** A request that cannot be answered. */
  static final class Refused extends Exception {
    private static final long serialVersionUID = 1;
    final int status;

    Refused(int status, String message) {
      super(message);
      this.status = status;
    }
  }

  HttpRequest {
    parameters = Map.copyOf(parameters);
    headers = Map.copyOf(headers);
  }

  Optional<String> parameter(String name) {
    return Optional.ofNullable(parameters.get(name));
  }

  String header(String name) {
    return headers.getOrDefault(name, "");
  }

  /** Reads up to the empty line; empty when the client closed before it sent anything. */
  static Optional<HttpRequest> read(InputStream in) throws IOException, Refused {
    byte[] head = new byte[HEAD_BYTES_MAX];
    int size = 0;
    while (true) {
      int next = in.read();
      if (next < 0) {
        if (size == 0) {
          return Optional.empty();
        }
        throw new Refused(400, "the request ends before its head does");
      }
      if (size == head.length) {
        throw new Refused(431, "the head is longer than " + HEAD_BYTES_MAX + " bytes");
      }
      head[size++] = (byte) next;
      if (next == '\n' && isEnd(head, size)) {
        return Optional.of(parse(new String(head, 0, size, StandardCharsets.ISO_8859_1)));
      }
    }
  }

  private static boolean isEnd(byte[] head, int size) {
    return size >= 2 && head[size - 2] == '\n'
        || size >= 4 && head[size - 2] == '\r' && head[size - 3] == '\n' && head[size - 4] == '\r';
  }

  static HttpRequest parse(String head) throws Refused {
    String[] lines = head.split("\r?\n", -1);
    String[] parts = lines[0].split(" ", -1);
    if (parts.length != 3 || !parts[2].matches("HTTP/1\\.[01]") || !parts[1].startsWith("/")) {
      throw new Refused(400, "this is no HTTP/1.1 request for a path");
    }
    Map<String, String> headers = new HashMap<>();
    for (int i = 1; i < lines.length && !lines[i].isEmpty(); i++) {
      int colon = lines[i].indexOf(':');
      if (colon <= 0 || i > FIELDS_MAX) {
        throw new Refused(colon <= 0 ? 400 : 431, "header " + i + " is wrong, or one too many");
      }
      headers.put(
          lines[i].substring(0, colon).toLowerCase(Locale.ROOT),
          lines[i].substring(colon + 1).strip());
    }
    int query = parts[1].indexOf('?');
    String path = query < 0 ? parts[1] : parts[1].substring(0, query);
    return new HttpRequest(
        parts[0],
        decode(path, false),
        query < 0 ? Map.of() : parameters(parts[1].substring(query + 1)),
        headers);
  }

  private static Map<String, String> parameters(String query) throws Refused {
    Map<String, String> parameters = new HashMap<>();
    String[] pairs = query.split("&", -1);
    if (pairs.length > FIELDS_MAX) {
      throw new Refused(400, "more than " + FIELDS_MAX + " parameters");
    }
    for (String pair : pairs) {
      int equals = pair.indexOf('=');
      String name = equals < 0 ? pair : pair.substring(0, equals);
      String value = equals < 0 ? "" : pair.substring(equals + 1);
      if (!name.isEmpty()) {
        parameters.put(decode(name, true), decode(value, true));
      }
    }
    return parameters;
  }

  private static String decode(String text, boolean plus) throws Refused {
    byte[] bytes = new byte[text.length()];
    int size = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '%') {
        int high = i + 2 < text.length() ? Character.digit(text.charAt(i + 1), 16) : -1;
        int low = i + 2 < text.length() ? Character.digit(text.charAt(i + 2), 16) : -1;
        if (high < 0 || low < 0) {
          throw new Refused(400, "% without two hexadecimal digits");
        }
        bytes[size++] = (byte) (high << 4 | low);
        i += 2;
      } else {
        bytes[size++] = (byte) (c == '+' && plus ? ' ' : c);
      }
    }
    return new String(bytes, 0, size, StandardCharsets.UTF_8);
  }
}
