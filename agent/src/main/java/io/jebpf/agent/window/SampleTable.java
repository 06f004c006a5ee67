package io.jebpf.agent.window;

import java.util.Arrays;

/**
 * Counts and weights by stack and thread label: one row becomes one sample of the profile. Owner:
 * the thread that owns the window.
 */
final class SampleTable {
  private static final int CAPACITY_FIRST = 1 << 9;

  private final int sizeMax;
  private int[] nodes;
  private int[] labels;
  private long[] counts;
  private long[] weights;
  private int[] slots; // row + 1
  private int mask;
  private int size;

  SampleTable(int sizeMax) {
    this.sizeMax = sizeMax;
    allocate(CAPACITY_FIRST);
  }

  int size() {
    return size;
  }

  int node(int row) {
    return nodes[row];
  }

  int label(int row) {
    return labels[row];
  }

  long count(int row) {
    return counts[row];
  }

  long weight(int row) {
    return weights[row];
  }

  static final int FULL = -1;

  /** Adds one sample and gives its row; FULL when that is new and there is no room for it. */
  int add(int node, int label, long weight) {
    return add(node, label, weight, sizeMax);
  }

  /** As {@link #add}, but may go past the limit: for the few rows that report the limit itself. */
  int addReserved(int node, int label, long weight) {
    return add(node, label, weight, Integer.MAX_VALUE);
  }

  private int add(int node, int label, long weight, int limit) {
    int slot = hash(node, label) & mask;
    while (slots[slot] != 0) {
      int row = slots[slot] - 1;
      if (nodes[row] == node && labels[row] == label) {
        counts[row]++;
        weights[row] += weight;
        return row;
      }
      slot = (slot + 1) & mask;
    }
    if (size >= limit) {
      return FULL;
    }
    if (size == nodes.length) {
      grow();
      slot = freeSlot(node, label);
    }
    int row = size++;
    nodes[row] = node;
    labels[row] = label;
    counts[row] = 1;
    weights[row] = weight;
    slots[slot] = row + 1;
    return row;
  }

  /** Empty again; memory that the last use did not need is given back. */
  void clear() {
    if (nodes.length > CAPACITY_FIRST) {
      allocate(Math.max(CAPACITY_FIRST, Integer.highestOneBit(Math.max(size, 1)) << 1));
    } else {
      Arrays.fill(slots, 0);
      size = 0;
    }
  }

  private void allocate(int capacity) {
    nodes = new int[capacity];
    labels = new int[capacity];
    counts = new long[capacity];
    weights = new long[capacity];
    slots = new int[2 * capacity];
    mask = slots.length - 1;
    size = 0;
  }

  private void grow() {
    int capacity = 2 * nodes.length;
    nodes = Arrays.copyOf(nodes, capacity);
    labels = Arrays.copyOf(labels, capacity);
    counts = Arrays.copyOf(counts, capacity);
    weights = Arrays.copyOf(weights, capacity);
    slots = new int[2 * capacity];
    mask = slots.length - 1;
    for (int row = 0; row < size; row++) {
      slots[freeSlot(nodes[row], labels[row])] = row + 1;
    }
  }

  private int freeSlot(int node, int label) {
    int slot = hash(node, label) & mask;
    while (slots[slot] != 0) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private static int hash(int node, int label) {
    long mixed = ((long) node << 32 | label & 0xffffffffL) * 0x9E3779B97F4A7C15L;
    return (int) (mixed >>> 32) ^ (int) (mixed >>> 15);
  }
}
