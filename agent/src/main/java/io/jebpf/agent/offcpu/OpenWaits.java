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
  static final int NONE = ThreadSlots.NONE;
  static final int NO_STACK = -2;
  private static final ThreadState[] STATES = ThreadState.values();

  private final ThreadSlots threads;
  private long[] starts = {};
  private long[] mets = {};
  private long[] reported = {};
  private long[] periods = {};
  private int[] walks = {};
  private int[] wakerLeaves = {};
  private int[] confirmed = {};
  private long[] turns = {};
  private int[] leaves = {};
  private byte[] states = {};
  private Labels[] labels = {};
  private Labels[] shown = {};
  private byte[] idle = {}; // 0: not asked yet; 1: no; 2: yes

  OpenWaits(int sizeMax) {
    threads = new ThreadSlots(sizeMax);
    reserve();
  }

  int size() {
    return threads.size();
  }

  /** Slots 0 to this, exclusive, may be in use. */
  int slots() {
    return threads.slots();
  }

  boolean isUsed(int slot) {
    return threads.isUsed(slot);
  }

  int find(int tid, long threadStart) {
    return threads.find(tid, threadStart);
  }

  /** The thread must have no wait here. NONE when there is no room. */
  int add(int tid, long threadStart, long start, ThreadState state, int leaf, Labels own) {
    int slot = threads.add(tid, threadStart);
    if (slot == NONE) {
      return NONE;
    }
    reserve();
    starts[slot] = start;
    states[slot] = (byte) state.ordinal();
    leaves[slot] = leaf;
    labels[slot] = own;
    shown[slot] = Labels.NONE;
    idle[slot] = 0;
    reported[slot] = 0;
    turns[slot] = 0;
    wakerLeaves[slot] = NO_STACK;
    return slot;
  }

  void remove(int slot) {
    threads.remove(slot);
    labels[slot] = Labels.NONE; // their last holder may be this table
    shown[slot] = Labels.NONE;
  }

  int tid(int slot) {
    return threads.tid(slot);
  }

  long threadStart(int slot) {
    return threads.threadStart(slot);
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

  /** Labels of its row while it goes on; NONE: not made yet. */
  Labels shown(int slot) {
    return shown[slot];
  }

  void shown(int slot, Labels row) {
    shown[slot] = row;
  }

  /** Whether it is known if the wait is idle. */
  boolean isJudged(int slot) {
    return idle[slot] != 0;
  }

  boolean isIdle(int slot) {
    return idle[slot] == 2;
  }

  void judge(int slot, boolean isIdle) {
    idle[slot] = (byte) (isIdle ? 2 : 1);
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

  /** When its thread was woken, by the last reading of the clocks; 0: it was not yet. */
  long turn(int slot) {
    return turns[slot];
  }

  void turn(int slot, long nanos) {
    turns[slot] = nanos;
  }

  private void reserve() {
    int capacity = threads.capacity();
    if (capacity == starts.length) {
      return;
    }
    starts = Arrays.copyOf(starts, capacity);
    mets = Arrays.copyOf(mets, capacity);
    reported = Arrays.copyOf(reported, capacity);
    periods = Arrays.copyOf(periods, capacity);
    walks = Arrays.copyOf(walks, capacity);
    wakerLeaves = Arrays.copyOf(wakerLeaves, capacity);
    confirmed = Arrays.copyOf(confirmed, capacity);
    turns = Arrays.copyOf(turns, capacity);
    leaves = Arrays.copyOf(leaves, capacity);
    states = Arrays.copyOf(states, capacity);
    labels = Arrays.copyOf(labels, capacity);
    shown = Arrays.copyOf(shown, capacity);
    idle = Arrays.copyOf(idle, capacity);
  }
}
