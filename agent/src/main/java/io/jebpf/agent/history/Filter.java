package io.jebpf.agent.history;

import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;

/**
 * Which samples are wanted: names of threads as they are or with {@code *} for any text, states of
 * waits as in the label. Empty wants all. A match takes time in proportion to the two texts.
 *
 * @param thread also matches names of virtual threads
 * @param state {@code running}, {@code runnable}, {@code blocked} or {@code disk}
 */
public record Filter(String thread, String state) {
  public static final Filter NONE = new Filter("", "");

  boolean accepts(Labels labels, boolean running) {
    String is = running ? LabelKey.RUNNING : labels.get(LabelKey.STATE);
    return (state.isEmpty() || state.equals(is))
        && (thread.isEmpty()
            || matches(thread, labels.get(LabelKey.THREAD))
            || matches(thread, labels.get(LabelKey.VTHREAD)));
  }

  /** On a mismatch only the last star is tried again: no text makes it slow. */
  static boolean matches(String pattern, String text) {
    int p = 0;
    int star = -1;
    int after = 0;
    int t = 0;
    while (t < text.length()) {
      if (p < pattern.length() && pattern.charAt(p) == '*') {
        star = p++;
        after = t;
      } else if (p < pattern.length() && pattern.charAt(p) == text.charAt(t)) {
        p++;
        t++;
      } else if (star >= 0) {
        p = star + 1;
        t = ++after;
      } else {
        return false;
      }
    }
    while (p < pattern.length() && pattern.charAt(p) == '*') {
      p++;
    }
    return p == pattern.length();
  }
}
