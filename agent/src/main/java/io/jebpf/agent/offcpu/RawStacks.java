package io.jebpf.agent.offcpu;

import java.util.Arrays;

/**
 * The raw stacks of waits that go on, as one tree from the roots: a node is a raw frame below a
 * parent node, and a stack is one number, its leaf. Ten thousand threads parked in the same place
 * share one stack. Nodes count their holders and are freed with the last; the tree has a limit. A
 * stack can be kept without a holder as long as there is room: the same places wait again and
 * again. Owner: thread "jebpf-reader".
 *
 * <p>Each node has room for two things that its stack's readers remember: its place in the present
 * window, and what kind of wait it is.
 */
final class RawStacks {
  static final int ROOT = 0;

  /** No room: stands for a stack that is not known. */
  static final int FULL = -1;

  private static final int CAPACITY_FIRST = 1 << 11;
  private static final int KEPT_FIRST = 64;
  private static final int NONE = 0; // the root is no one's child

  private final int sizeMax;
  private int[] parents;
  private long[] heads;
  private long[] details;
  private int[] holders; // children, and stacks that end here
  private int[] nexts; // in the bucket, or in the list of free nodes
  private int[] windowNodes;
  private int[] windowSerials;
  private short[] verdicts;
  private int[] buckets;
  private boolean[] isKept;
  private int[] kept = {};
  private int keptCount;
  private int free;
  private int used;
  private int live;

  RawStacks(int sizeMax) {
    this.sizeMax = sizeMax;
    allocate();
  }

  private void allocate() {
    parents = new int[CAPACITY_FIRST];
    heads = new long[CAPACITY_FIRST];
    details = new long[CAPACITY_FIRST];
    holders = new int[CAPACITY_FIRST];
    nexts = new int[CAPACITY_FIRST];
    windowNodes = new int[CAPACITY_FIRST];
    windowSerials = new int[CAPACITY_FIRST];
    verdicts = new short[CAPACITY_FIRST];
    buckets = new int[CAPACITY_FIRST];
    isKept = new boolean[CAPACITY_FIRST];
    free = NONE;
    used = 1;
    live = 1;
    holders[ROOT] = 1; // for ever
  }

  /** Nodes in use, the root included. */
  int size() {
    return live;
  }

  int parent(int node) {
    return parents[node];
  }

  long head(int node) {
    return heads[node];
  }

  long detail(int node) {
    return details[node];
  }

  /**
   * The child of a node for a raw frame, made when it is new; FULL when there is no room, or when
   * the parent is FULL. A path that is built has to be held or pruned before the next is begun.
   */
  int child(int parent, long head, long detail) {
    if (parent == FULL) {
      return FULL;
    }
    int bucket = hash(parent, head, detail) & (buckets.length - 1);
    for (int node = buckets[bucket]; node != NONE; node = nexts[node]) {
      if (parents[node] == parent && heads[node] == head && details[node] == detail) {
        return node;
      }
    }
    if (live >= sizeMax && keptCount > 0) {
      holders[parent]++;
      forgetKept();
      holders[parent]--;
    }
    if (live >= sizeMax) {
      prune(parent);
      return FULL;
    }
    return add(parent, head, detail);
  }

  private int add(int parent, long head, long detail) {
    int node = free;
    if (node != NONE) {
      free = nexts[node];
    } else {
      if (used == parents.length) {
        grow();
      }
      node = used++;
    }
    live++;
    parents[node] = parent;
    heads[node] = head;
    details[node] = detail;
    holders[node] = 0;
    windowSerials[node] = 0;
    verdicts[node] = 0;
    holders[parent]++;
    link(node);
    return node;
  }

  /** One more holder of a stack; released by {@link #release}. */
  void hold(int leaf) {
    if (leaf != FULL) {
      holders[leaf]++;
    }
  }

  /** One holder less; a stack that nobody holds is freed. */
  void release(int leaf) {
    if (leaf != FULL) {
      holders[leaf]--;
      prune(leaf);
    }
  }

  /** Keeps a stack until {@link #forgetKept}, which comes by itself when the room is needed. */
  void keep(int leaf) {
    if (leaf <= ROOT || isKept[leaf]) {
      return;
    }
    if (keptCount == kept.length) {
      kept = Arrays.copyOf(kept, Math.max(KEPT_FIRST, 2 * kept.length));
    }
    isKept[leaf] = true;
    kept[keptCount++] = leaf;
    holders[leaf]++;
  }

  void forgetKept() {
    while (keptCount > 0) {
      int leaf = kept[--keptCount];
      isKept[leaf] = false;
      release(leaf);
    }
    if (kept.length > 4 * KEPT_FIRST) {
      kept = new int[0];
    }
  }

  /** Frees a path up to the first node that is held. */
  void prune(int leaf) {
    int node = leaf;
    while (node > ROOT && holders[node] == 0) {
      int parent = parents[node];
      unlink(node);
      nexts[node] = free;
      free = node;
      live--;
      holders[parent]--;
      node = parent;
    }
    if (live == 1 && parents.length > 4 * CAPACITY_FIRST) {
      allocate(); // what a crowd needed once is given back
    }
  }

  /** The node's place in the window with that serial number; {@code absent} when not set there. */
  int windowNode(int node, int serial, int absent) {
    return windowSerials[node] == serial ? windowNodes[node] : absent;
  }

  void putWindowNode(int node, int serial, int windowNode) {
    windowSerials[node] = serial;
    windowNodes[node] = windowNode;
  }

  /** What {@link #verdict(int, short)} set; 0 before. */
  short verdict(int node) {
    return verdicts[node];
  }

  void verdict(int node, short verdict) {
    verdicts[node] = verdict;
  }

  private void link(int node) {
    int bucket = hash(parents[node], heads[node], details[node]) & (buckets.length - 1);
    nexts[node] = buckets[bucket];
    buckets[bucket] = node;
  }

  private void unlink(int node) {
    int bucket = hash(parents[node], heads[node], details[node]) & (buckets.length - 1);
    int at = buckets[bucket];
    if (at == node) {
      buckets[bucket] = nexts[node];
      return;
    }
    while (nexts[at] != node) {
      at = nexts[at];
    }
    nexts[at] = nexts[node];
  }

  private void grow() {
    int capacity = 2 * parents.length;
    parents = Arrays.copyOf(parents, capacity);
    heads = Arrays.copyOf(heads, capacity);
    details = Arrays.copyOf(details, capacity);
    holders = Arrays.copyOf(holders, capacity);
    nexts = Arrays.copyOf(nexts, capacity);
    windowNodes = Arrays.copyOf(windowNodes, capacity);
    windowSerials = Arrays.copyOf(windowSerials, capacity);
    verdicts = Arrays.copyOf(verdicts, capacity);
    isKept = Arrays.copyOf(isKept, capacity);
    buckets = new int[capacity];
    for (int node = 1; node < used; node++) { // no node is free when the tree grows
      link(node);
    }
  }

  private static int hash(int parent, long head, long detail) {
    long mixed = (head ^ Long.rotateLeft(detail, 29) ^ (long) parent << 17) * 0x9E3779B97F4A7C15L;
    mixed ^= mixed >>> 32;
    return (int) (mixed * 0xD6E8FEB86659FD93L >>> 32);
  }
}
