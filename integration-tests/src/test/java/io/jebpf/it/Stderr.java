package io.jebpf.it;

import java.util.List;

/** Splits a child's stderr into the agent's lines and the rest. */
final class Stderr {
  private Stderr() {}

  static List<String> own(String stderr) {
    return stderr.lines().filter(Stderr::isOwn).toList();
  }

  static List<String> application(String stderr) {
    return stderr.lines().filter(line -> !isOwn(line)).toList();
  }

  private static boolean isOwn(String line) {
    return line.startsWith("jebpf");
  }
}
