package io.jebpf.agent.offcpu;

import java.util.Arrays;

/**
 * Small numbers for threads, by their id and start. A number stays a thread's until {@link
 * #remove}, and is then given to another. Bounded. Owner: thread "jebpf-reader".
 */
final class ThreadSlots {
  static final int NONE = -1;
  private static final int CAPACITY_FIRST = 1 << 8;

  private final int sizeMax;
  private int[] tids = new int[CAPACITY_FIRST]; // 0: the slot is free
  private long[] threadStarts = new long[CAPACITY_FIRST];
  private int[] nexts = new int[CAPACITY_FIRST]; // slot + 1; of a free slot: the next free one
  private int[] buckets = new int[CAPACITY_FIRST]; // slot + 1
  private int free; // slot + 1
  private int used;
  private int size;

  ThreadSlots(int sizeMax) {
    this.sizeMax = sizeMax;
  }

  int size() {
    return size;
  }

  /** Slots 0 to this, exclusive, may be in use. */
  int slots() {
    return used;
  }

  /** Slots that there is room for without growing: the size of tables by slot. */
  int capacity() {
    return tids.length;
  }

  boolean isUsed(int slot) {
    return tids[slot] != 0;
  }

  int tid(int slot) {
    return tids[slot];
  }

  long threadStart(int slot) {
    return threadStarts[slot];
  }

  int find(int tid, long threadStart) {
    int at = buckets[bucket(tid, threadStart)];
    while (at != 0) {
      int slot = at - 1;
      if (tids[slot] == tid && threadStarts[slot] == threadStart) {
        return slot;
      }
      at = nexts[slot];
    }
    return NONE;
  }

  /** The thread must have no slot here. NONE when there is no room. */
  int add(int tid, long threadStart) {
    if (size >= sizeMax) {
      return NONE;
    }
    int slot = free - 1;
    if (slot >= 0) {
      free = nexts[slot];
    } else {
      if (used == tids.length) {
        grow();
      }
      slot = used++;
    }
    size++;
    tids[slot] = tid;
    threadStarts[slot] = threadStart;
    link(slot);
    return slot;
  }

  void remove(int slot) {
    unlink(slot);
    tids[slot] = 0;
    nexts[slot] = free;
    free = slot + 1;
    size--;
  }

  private int bucket(int tid, long threadStart) {
    long mixed = (threadStart ^ (long) tid << 40) * 0x9E3779B97F4A7C15L;
    return (int) (mixed >>> 40) & (buckets.length - 1);
  }

  private void link(int slot) {
    int bucket = bucket(tids[slot], threadStarts[slot]);
    nexts[slot] = buckets[bucket];
    buckets[bucket] = slot + 1;
  }

  private void unlink(int slot) {
    int bucket = bucket(tids[slot], threadStarts[slot]);
    int at = buckets[bucket];
    if (at == slot + 1) {
      buckets[bucket] = nexts[slot];
      return;
    }
    while (nexts[at - 1] != slot + 1) {
      at = nexts[at - 1];
    }
    nexts[at - 1] = nexts[slot];
  }

  private void grow() {
    int capacity = 2 * tids.length;
    tids = Arrays.copyOf(tids, capacity);
    threadStarts = Arrays.copyOf(threadStarts, capacity);
    nexts = Arrays.copyOf(nexts, capacity);
    buckets = new int[capacity];
    for (int slot = 0; slot < used; slot++) { // no slot is free when the table grows
      link(slot);
    }
  }
}
