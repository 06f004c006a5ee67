package io.jebpf.agent.offcpu;

import io.jebpf.bpf.ThreadState;
import java.util.Arrays;

/**
 * Waits of many threads that share a row, added up before they are put there. Ten thousand threads
 * that slept through a window in a few places are a few stretches, each standing for thousands.
 * Owner: thread "jebpf-reader".
 */
final class Crowd {
  /** A power of two. What finds its place taken puts the others out of it. */
  private static final int PLACES = 64;

  private final Sink sink;
  private final int[] leaves = new int[PLACES];
  private final ThreadState[] states = new ThreadState[PLACES];
  private final boolean[] idle = new boolean[PLACES];
  private final boolean[] counted = new boolean[PLACES];
  private final long[] froms = new long[PLACES];
  private final int[] sizes = new int[PLACES]; // 0: the place is free

  /** Takes what was added up. */
  interface Sink {
    /**
     * @param from since when they waited, all of them
     * @param counted whether these are new waits
     * @param waits how many
     */
    void put(int leaf, ThreadState state, boolean idle, long from, boolean counted, int waits);
  }

  Crowd(Sink sink) {
    this.sink = sink;
    Arrays.fill(states, ThreadState.BLOCKED);
  }

  /** Forgets what was not put: it belongs to a window that was given up. */
  void clear() {
    Arrays.fill(sizes, 0);
  }

  void add(int leaf, ThreadState state, boolean isIdle, long from, boolean isCounted) {
    int place = (leaf * 31 + state.ordinal() * 2 + (isIdle ? 1 : 0)) & (PLACES - 1);
    boolean same =
        leaves[place] == leaf
            && states[place] == state
            && idle[place] == isIdle
            && counted[place] == isCounted
            && froms[place] == from;
    if (!same) {
      put(place);
      leaves[place] = leaf;
      states[place] = state;
      idle[place] = isIdle;
      counted[place] = isCounted;
      froms[place] = from;
    }
    sizes[place]++;
  }

  /** Puts all that was added; empty afterwards. */
  void flush() {
    for (int place = 0; place < PLACES; place++) {
      put(place);
    }
  }

  private void put(int place) {
    if (sizes[place] > 0) {
      sink.put(
          leaves[place], states[place], idle[place], froms[place], counted[place], sizes[place]);
      sizes[place] = 0;
    }
  }
}
