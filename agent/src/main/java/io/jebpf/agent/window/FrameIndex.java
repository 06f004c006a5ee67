package io.jebpf.agent.window;

/**
 * Finds the number that stands for a raw frame, by its two words. Open addressing over primitive
 * arrays: a look-up allocates nothing. Owner: the thread that owns the window.
 */
final class FrameIndex {
  static final int MISSING = -1;
  private static final int CAPACITY_FIRST = 1 << 11;

  private final int sizeMax;
  private long[] keys; // two per slot: head, detail
  private int[] values; // value + 1; 0 is an empty slot
  private int mask;
  private int size;

  FrameIndex(int sizeMax) {
    this.sizeMax = sizeMax;
    allocate(CAPACITY_FIRST);
  }

  int size() {
    return size;
  }

  boolean isFull() {
    return size >= sizeMax;
  }

  int find(long head, long detail) {
    long[] table = keys;
    int[] found = values;
    for (int slot = hash(head, detail) & mask; ; slot = (slot + 1) & mask) {
      int value = found[slot];
      if (value == 0) {
        return MISSING;
      }
      if (table[2 * slot] == head && table[2 * slot + 1] == detail) {
        return value - 1;
      }
    }
  }

  /** The pair must not be there yet, the table not full, and the value not negative. */
  void put(long head, long detail, int value) {
    if (isFull() || value < 0) {
      throw new IllegalStateException("frame index: size " + size + ", value " + value);
    }
    if (2 * (size + 1) > values.length) {
      grow();
    }
    insert(head, detail, value + 1);
    size++;
  }

  /** Empty again; memory that the last use did not need is given back. */
  void clear() {
    if (values.length > CAPACITY_FIRST) {
      allocate(Math.max(CAPACITY_FIRST, Integer.highestOneBit(Math.max(size, 1)) << 2));
    } else {
      java.util.Arrays.fill(values, 0);
    }
    size = 0;
  }

  private void allocate(int capacity) {
    keys = new long[2 * capacity];
    values = new int[capacity];
    mask = capacity - 1;
  }

  private void grow() {
    long[] oldKeys = keys;
    int[] oldValues = values;
    allocate(2 * oldValues.length);
    for (int slot = 0; slot < oldValues.length; slot++) {
      if (oldValues[slot] != 0) {
        insert(oldKeys[2 * slot], oldKeys[2 * slot + 1], oldValues[slot]);
      }
    }
  }

  private void insert(long head, long detail, int stored) {
    int slot = hash(head, detail) & mask;
    while (values[slot] != 0) {
      slot = (slot + 1) & mask;
    }
    keys[2 * slot] = head;
    keys[2 * slot + 1] = detail;
    values[slot] = stored;
  }

  private static int hash(long head, long detail) {
    long mixed = (head ^ Long.rotateLeft(detail, 29)) * 0x9E3779B97F4A7C15L;
    mixed ^= mixed >>> 32;
    return (int) (mixed * 0xD6E8FEB86659FD93L >>> 32);
  }
}
