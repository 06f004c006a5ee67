package io.jebpf.symbolizer;

import java.util.Arrays;

/**
 * Bounded cache under a key of two longs, in two generations: when the young one is full, or when
 * the owner says so, it becomes the old one and the former old one is forgotten. What is asked for
 * again is the owner's to put back (or to check first). No allocation on a hit.
 *
 * <p>Owner: one thread.
 */
public final class IdentityCache<V> {
  private final int entriesMax;
  private Generation young;
  private Generation old;

  /** Holds at most {@code 2 * entriesMax} values. */
  public IdentityCache(int entriesMax) {
    if (entriesMax <= 0 || entriesMax > 1 << 24) {
      throw new IllegalArgumentException("entriesMax " + entriesMax);
    }
    this.entriesMax = entriesMax;
    this.young = new Generation(64);
    this.old = new Generation(64);
  }

  /** The value put since the last change of generation, or {@code absent}. */
  public V young(long a, long b, V absent) {
    return value(young, a, b, absent);
  }

  /** The value of the generation before, or {@code absent}. */
  public V old(long a, long b, V absent) {
    return value(old, a, b, absent);
  }

  /** From either generation, moved to the young one. */
  public V get(long a, long b, V absent) {
    V value = value(young, a, b, absent);
    if (value == absent) {
      value = value(old, a, b, absent);
      if (value != absent) {
        put(a, b, value);
      }
    }
    return value;
  }

  public void put(long a, long b, V value) {
    if (young.count >= entriesMax) {
      nextGeneration();
    }
    young = young.with(a, b, value);
  }

  /** Ages everything by one generation; what was old is forgotten. */
  public void nextGeneration() {
    Generation spare = old;
    old = young;
    spare.clear();
    young = spare;
  }

  /** Values held, in both generations. */
  public int size() {
    return young.count + old.count;
  }

  @SuppressWarnings("unchecked") // only put() stores values
  private V value(Generation generation, long a, long b, V absent) {
    int at = generation.find(a, b);
    return generation.values[at] == null ? absent : (V) generation.values[at];
  }

  /** Open addressing, linear probing, at most half full. */
  private static final class Generation {
    private final long[] keys;
    private final Object[] values;
    private final int mask;
    private int count;

    Generation(int slots) {
      keys = new long[2 * slots];
      values = new Object[slots];
      mask = slots - 1;
    }

    /** Slot of the key, or the free slot where it belongs. */
    int find(long a, long b) {
      long hash = (a * 0x9E3779B97F4A7C15L + b) * 0xC2B2AE3D27D4EB4FL;
      int at = (int) (hash >>> 32) & mask;
      while (values[at] != null && (keys[2 * at] != a || keys[2 * at + 1] != b)) {
        at = (at + 1) & mask;
      }
      return at;
    }

    Generation with(long a, long b, Object value) {
      Generation target = 2 * (count + 1) > values.length ? doubled() : this;
      int at = target.find(a, b);
      if (target.values[at] == null) {
        target.count++;
        target.keys[2 * at] = a;
        target.keys[2 * at + 1] = b;
      }
      target.values[at] = value;
      return target;
    }

    private Generation doubled() {
      Generation larger = new Generation(2 * values.length);
      for (int i = 0; i < values.length; i++) {
        if (values[i] != null) {
          larger.with(keys[2 * i], keys[2 * i + 1], values[i]);
        }
      }
      return larger;
    }

    void clear() {
      Arrays.fill(values, null);
      count = 0;
    }
  }
}
