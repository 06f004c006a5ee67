package io.jebpf.agent.offcpu;

import io.jebpf.agent.window.Labels;
import io.jebpf.bpf.ThreadState;
import java.util.Arrays;

/**
 * The waits that go on and whose stack is known: at most one a thread, found by the thread's id and
 * start. A slot is a number that stays the wait's until {@link #remove}. Bounded; whoever adds
 * counts what does not fit. Owner: thread "jebpf-reader".
 */
final class OpenWaits {
  static final int NONE = -1;
  static final int NO_STACK = -2;
  private static final int CAPACITY_FIRST = 1 << 8;
  private static final ThreadState[] STATES = ThreadState.values();

  private final int sizeMax;
  private int[] tids = new int[CAPACITY_FIRST]; // 0: the slot is free
  private long[] threadStarts = new long[CAPACITY_FIRST];
  private long[] starts = new long[CAPACITY_FIRST];
  private long[] mets = new long[CAPACITY_FIRST];
  private long[] reported = new long[CAPACITY_FIRST];
  private long[] periods = new long[CAPACITY_FIRST];
  private int[] walks = new int[CAPACITY_FIRST];
  private int[] wakerLeaves = new int[CAPACITY_FIRST];
  private int[] confirmed = new int[CAPACITY_FIRST];
  private int[] leaves = new int[CAPACITY_FIRST];
  private byte[] states = new byte[CAPACITY_FIRST];
  private Labels[] labels = new Labels[CAPACITY_FIRST];
  private int[] nexts = new int[CAPACITY_FIRST]; // slot + 1; of a free slot: the next free one
  private int[] buckets = new int[CAPACITY_FIRST]; // slot + 1
  private int free; // slot + 1
  private int used;
  private int size;

  OpenWaits(int sizeMax) {
    this.sizeMax = sizeMax;
  }

  int size() {
    return size;
  }

  /** Slots 0 to this, exclusive, may be in use. */
  int slots() {
    return used;
  }

  boolean isUsed(int slot) {
    return tids[slot] != 0;
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

  /** The thread must have no wait here. NONE when there is no room. */
  int add(int tid, long threadStart, long start, ThreadState state, int leaf, Labels own) {
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
    starts[slot] = start;
    states[slot] = (byte) state.ordinal();
    leaves[slot] = leaf;
    labels[slot] = own;
    reported[slot] = 0;
    wakerLeaves[slot] = NO_STACK;
    link(slot);
    return slot;
  }

  void remove(int slot) {
    unlink(slot);
    tids[slot] = 0;
    labels[slot] = Labels.NONE; // their last holder may be this table
    nexts[slot] = free;
    free = slot + 1;
    size--;
  }

  int tid(int slot) {
    return tids[slot];
  }

  long threadStart(int slot) {
    return threadStarts[slot];
  }

  long start(int slot) {
    return starts[slot];
  }

  ThreadState state(int slot) {
    return STATES[states[slot]];
  }

  int leaf(int slot) {
    return leaves[slot];
  }

  /** Labels of the thread when the wait was met: kept, so that a sleeper costs no look-up. */
  Labels labels(int slot) {
    return labels[slot];
  }

  /** When the ticker met it. */
  long met(int slot) {
    return mets[slot];
  }

  /** The ticker's period when it met it. */
  long period(int slot) {
    return periods[slot];
  }

  /** How long it took to take the stack, for which the wait had to last: nanoseconds. */
  int walk(int slot) {
    return walks[slot];
  }

  void met(int slot, long nanos, int walkNanos, long period) {
    mets[slot] = nanos;
    walks[slot] = walkNanos;
    periods[slot] = period;
  }

  /** The stack that goes on above a separator with that of the waker; NO_STACK: not known. */
  int wakerLeaf(int slot) {
    return wakerLeaves[slot];
  }

  void wakerLeaf(int slot, int leaf) {
    wakerLeaves[slot] = leaf;
  }

  /** Up to when it is in a profile already; 0 when no part of it is. */
  long reported(int slot) {
    return reported[slot];
  }

  void reported(int slot, long untilNanos) {
    reported[slot] = untilNanos;
  }

  /** The last reading of the clocks that found it going on. */
  int confirmed(int slot) {
    return confirmed[slot];
  }

  void confirmed(int slot, int reading) {
    confirmed[slot] = reading;
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
    starts = Arrays.copyOf(starts, capacity);
    mets = Arrays.copyOf(mets, capacity);
    reported = Arrays.copyOf(reported, capacity);
    periods = Arrays.copyOf(periods, capacity);
    walks = Arrays.copyOf(walks, capacity);
    wakerLeaves = Arrays.copyOf(wakerLeaves, capacity);
    confirmed = Arrays.copyOf(confirmed, capacity);
    leaves = Arrays.copyOf(leaves, capacity);
    states = Arrays.copyOf(states, capacity);
    labels = Arrays.copyOf(labels, capacity);
    nexts = Arrays.copyOf(nexts, capacity);
    buckets = new int[capacity];
    for (int slot = 0; slot < used; slot++) { // no slot is free when the table grows
      link(slot);
    }
  }
}
