package io.jebpf.agent.offcpu;

import java.util.List;

/**
 * One line of the tables of {@link WaitRules}: a result, and functions any of which says so when it
 * is among the frames looked at.
 *
 * @param result what a match means
 * @param frames how far from the leaf is looked: up to that Java frame, and at least the first
 * @param functions names; one that ends in {@code *} is a prefix
 */
record WaitRule<T>(T result, int frames, List<String> functions) {
  WaitRule {
    functions = List.copyOf(functions);
    if (functions.isEmpty() || frames < 0) {
      throw new IllegalArgumentException("rule for " + result);
    }
  }

  static <T> WaitRule<T> of(T result, int frames, String... functions) {
    return new WaitRule<>(result, frames, List.of(functions));
  }

  boolean matches(String function) {
    for (int i = 0; i < functions.size(); i++) {
      String pattern = functions.get(i);
      int last = pattern.length() - 1;
      boolean prefix = pattern.charAt(last) == '*';
      if (prefix ? function.regionMatches(0, pattern, 0, last) : function.equals(pattern)) {
        return true;
      }
    }
    return false;
  }
}
