package io.jebpf.agent.window;

import java.util.Arrays;

/**
 * All stacks of a window as one tree from the roots: a node is a location below a parent node. Two
 * stacks with the same callers share their nodes, and a stack is one number: its leaf. Owner: the
 * thread that owns the window.
 */
final class StackTree {
  static final int ROOT = 0;
  static final int FULL = -1;
  private static final int CAPACITY_FIRST = 1 << 11;

  private final int sizeMax;
  private int[] parents;
  private int[] locations;
  private int[] slots; // node, 0 is empty: the root is no one's child
  private int mask;
  private int size;

  StackTree(int sizeMax) {
    this.sizeMax = sizeMax;
    allocate(CAPACITY_FIRST);
  }

  int size() {
    return size;
  }

  int parent(int node) {
    return parents[node];
  }

  int location(int node) {
    return locations[node];
  }

  /** Parent of each node: a copy. */
  int[] parents() {
    return Arrays.copyOf(parents, size);
  }

  /** Location of each node: a copy. */
  int[] locations() {
    return Arrays.copyOf(locations, size);
  }

  /** The child of a node for a location, made when it is new; FULL when there is no room for it. */
  int child(int parent, int location) {
    return child(parent, location, sizeMax);
  }

  /**
   * As {@link #child}, but may go past the limit: for the few nodes that report the limit itself.
   */
  int reservedChild(int parent, int location) {
    return child(parent, location, Integer.MAX_VALUE);
  }

  private int child(int parent, int location, int limit) {
    int[] table = slots;
    int slot = hash(parent, location) & mask;
    for (int node = table[slot]; node != 0; node = table[slot]) {
      if (parents[node] == parent && locations[node] == location) {
        return node;
      }
      slot = (slot + 1) & mask;
    }
    if (size >= limit) {
      return FULL;
    }
    return add(parent, location, slot);
  }

  /** Empty again; memory that the last use did not need is given back. */
  void clear() {
    if (slots.length > 2 * CAPACITY_FIRST) {
      allocate(Math.max(CAPACITY_FIRST, Integer.highestOneBit(Math.max(size, 1)) << 1));
    } else {
      Arrays.fill(slots, 0);
      size = 1;
    }
  }

  private int add(int parent, int location, int slot) {
    int node = size++;
    int at = slot;
    if (node >= parents.length) {
      grow();
      at = hash(parent, location) & mask;
      while (slots[at] != 0) {
        at = (at + 1) & mask;
      }
    }
    parents[node] = parent;
    locations[node] = location;
    slots[at] = node;
    return node;
  }

  private void allocate(int capacity) {
    parents = new int[capacity];
    locations = new int[capacity];
    slots = new int[2 * capacity];
    mask = slots.length - 1;
    size = 1;
  }

  private void grow() {
    int capacity = 2 * parents.length;
    parents = Arrays.copyOf(parents, capacity);
    locations = Arrays.copyOf(locations, capacity);
    slots = new int[2 * capacity];
    mask = slots.length - 1;
    for (int node = 1; node < size - 1; node++) { // the last one is about to be written
      int slot = hash(parents[node], locations[node]) & mask;
      while (slots[slot] != 0) {
        slot = (slot + 1) & mask;
      }
      slots[slot] = node;
    }
  }

  private static int hash(int parent, int location) {
    long mixed = ((long) parent << 32 | location & 0xffffffffL) * 0x9E3779B97F4A7C15L;
    return (int) (mixed >>> 32) ^ (int) (mixed >>> 15);
  }
}
