package io.jebpf.agent.context;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BinaryOperator;

/**
 * Names of endpoints from methods and paths of requests: at most three segments of the path, those
 * that look like ids replaced, and a bounded number of names in all. Thread-safe; called by threads
 * of the application.
 */
final class EndpointNames implements BinaryOperator<String> {
  static final String OTHER = "[other]";
  static final int NAMES_MAX = 200;

  private static final int SEGMENTS_MAX = 3;
  private static final int SEGMENT_CHARS_MAX = 32;
  private static final int METHOD_CHARS_MAX = 10;
  private static final int ID_DIGITS_MIN = 8; // of hexadecimal ids

  private final Set<String> names = ConcurrentHashMap.newKeySet();
  private final AtomicLong others = new AtomicLong();

  @Override
  public String apply(String method, String path) {
    if (method == null || path == null || method.length() > METHOD_CHARS_MAX) {
      return OTHER;
    }
    String name = method + " " + cut(path);
    if (names.contains(name)) {
      return name;
    }
    if (names.size() >= NAMES_MAX) {
      others.incrementAndGet();
      return OTHER;
    }
    names.add(name);
    return name;
  }

  /** Requests whose name did not fit. */
  long others() {
    return others.get();
  }

  static String cut(String path) {
    StringBuilder cut = new StringBuilder();
    int at = path.startsWith("/") ? 1 : 0;
    for (int segments = 0; ; segments++) {
      int end = at;
      while (end < path.length() && "/;?#".indexOf(path.charAt(end)) < 0) {
        end++;
      }
      if (segments == SEGMENTS_MAX) {
        return cut.append("/...").toString();
      }
      cut.append('/').append(isId(path, at, end) ? "*" : path.substring(at, end));
      if (end >= path.length() || path.charAt(end) != '/' || end + 1 == path.length()) {
        return cut.toString();
      }
      at = end + 1;
    }
  }

  /** Digits alone, hexadecimal with digits in it, UUIDs, and what is too long for a name. */
  private static boolean isId(String path, int from, int to) {
    int digits = 0;
    int hexadecimal = 0;
    for (int i = from; i < to; i++) {
      char c = path.charAt(i);
      digits += c >= '0' && c <= '9' ? 1 : 0;
      hexadecimal += Character.digit(c, 16) >= 0 || c == '-' ? 1 : 0;
    }
    int length = to - from;
    boolean number = length > 0 && digits == length;
    boolean id = length >= ID_DIGITS_MIN && digits > 0 && hexadecimal == length;
    return number || id || length > SEGMENT_CHARS_MAX;
  }
}
