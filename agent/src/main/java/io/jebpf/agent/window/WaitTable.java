package io.jebpf.agent.window;

import java.util.Arrays;

/**
 * Three weighted sums by stack and labels: how many waits, how long asleep, how long runnable. Sums
 * are not whole numbers, since a wait that is met by chance stands for several. Owner: the thread
 * that owns the window.
 */
final class WaitTable {
  private static final int CAPACITY_FIRST = 1 << 8;

  private final int sizeMax;
  private int[] nodes;
  private int[] labels;
  private double[] counts;
  private double[] blocked;
  private double[] runnable;
  private int[] slots; // row + 1
  private int size;

  WaitTable(int sizeMax) {
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

  double count(int row) {
    return counts[row];
  }

  double blocked(int row) {
    return blocked[row];
  }

  double runnable(int row) {
    return runnable[row];
  }

  static final int FULL = -1;

  /** Adds to a row and gives it; FULL when it is new and there is no room for it. */
  int add(int node, int label, double count, double blockedNanos, double runnableNanos) {
    return add(node, label, count, blockedNanos, runnableNanos, sizeMax);
  }

  /** As {@link #add}, but may go past the limit: for the few rows that report the limit itself. */
  int addReserved(int node, int label, double count, double blockedNanos, double runnableNanos) {
    return add(node, label, count, blockedNanos, runnableNanos, Integer.MAX_VALUE);
  }

  private int add(
      int node, int label, double count, double blockedNanos, double runnableNanos, int limit) {
    int slot = slot(node, label);
    int row = slots[slot] - 1;
    if (row < 0) {
      if (size >= limit) {
        return FULL;
      }
      if (size == nodes.length) {
        grow();
        slot = slot(node, label);
      }
      row = size++;
      nodes[row] = node;
      labels[row] = label;
      counts[row] = 0;
      blocked[row] = 0;
      runnable[row] = 0;
      slots[slot] = row + 1;
    }
    counts[row] += count;
    blocked[row] += blockedNanos;
    runnable[row] += runnableNanos;
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
    counts = new double[capacity];
    blocked = new double[capacity];
    runnable = new double[capacity];
    slots = new int[2 * capacity];
    size = 0;
  }

  private void grow() {
    int capacity = 2 * nodes.length;
    nodes = Arrays.copyOf(nodes, capacity);
    labels = Arrays.copyOf(labels, capacity);
    counts = Arrays.copyOf(counts, capacity);
    blocked = Arrays.copyOf(blocked, capacity);
    runnable = Arrays.copyOf(runnable, capacity);
    slots = new int[2 * capacity];
    for (int row = 0; row < size; row++) {
      slots[slot(nodes[row], labels[row])] = row + 1;
    }
  }

  /** The slot of a row that is there, or the free one where it belongs. */
  private int slot(int node, int label) {
    long mixed = ((long) node << 32 | label & 0xffffffffL) * 0x9E3779B97F4A7C15L;
    int mask = slots.length - 1;
    int slot = ((int) (mixed >>> 32) ^ (int) (mixed >>> 15)) & mask;
    while (slots[slot] != 0) {
      int row = slots[slot] - 1;
      if (nodes[row] == node && labels[row] == label) {
        return slot;
      }
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}
