package io.jebpf.agent.window;

import java.util.Arrays;

/**
 * The string labels of a row: an immutable map from key to text, sorted by key. A label with an
 * empty text is one that is not there. Equal sets are equal however they were made.
 */
public final class Labels {
  public static final Labels NONE = new Labels(new String[0]);

  private final String[] pairs; // key, text, key, text...
  private final int hash;

  private Labels(String[] pairs) {
    this.pairs = pairs;
    this.hash = Arrays.hashCode(pairs);
  }

  public static Labels of(String key, String text) {
    return NONE.with(key, text);
  }

  /** This set with one label put, replaced, or (with an empty text) taken away. */
  public Labels with(String key, String text) {
    int at = 0;
    while (at < pairs.length && pairs[at].compareTo(key) < 0) {
      at += 2;
    }
    int known = at < pairs.length && pairs[at].equals(key) ? 2 : 0;
    int put = text.isEmpty() ? 0 : 2;
    if (known == 0 && put == 0) {
      return this;
    }
    String[] next = new String[pairs.length - known + put];
    System.arraycopy(pairs, 0, next, 0, at);
    if (put != 0) {
      next[at] = key;
      next[at + 1] = text;
    }
    System.arraycopy(pairs, at + known, next, at + put, pairs.length - at - known);
    return new Labels(next);
  }

  /** Empty when there is no such label. */
  public String get(String key) {
    for (int i = 0; i < pairs.length; i += 2) {
      if (pairs[i].equals(key)) {
        return pairs[i + 1];
      }
    }
    return "";
  }

  public int size() {
    return pairs.length / 2;
  }

  /** Key of one of them, in their order; so is {@link #text}. */
  public String key(int index) {
    return pairs[2 * index];
  }

  public String text(int index) {
    return pairs[2 * index + 1];
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Labels labels
        && hash == labels.hash
        && Arrays.equals(pairs, labels.pairs);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public String toString() {
    return Arrays.toString(pairs);
  }
}
