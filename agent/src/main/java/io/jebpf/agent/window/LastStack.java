package io.jebpf.agent.window;

import java.util.Arrays;

/**
 * The raw frames of the stack that was pushed last, and the node of each in its window: a thread's
 * next stack mostly begins at its root with the same frames, which then need no look-up. Owner: the
 * thread that owns the window.
 */
public final class LastStack {
  private long[] words = new long[128]; // head and detail of each frame, the leaf first
  private int[] nodes = new int[64]; // by frame, the root first
  private int[] seen = new int[64]; // frames of code from the root on; unresolved ones among them
  private int[] unresolved = new int[64];
  private int frames;

  private Window window;
  private long stretch;

  /** How many frames, from the root on, are those of the last stack in the same window. */
  int common(Window in, long[] stack, int size) {
    if (in != window || in.stretch() != stretch) {
      return 0;
    }
    long[] last = words;
    int most = Math.min(size, frames);
    int at = 2 * size - 1;
    int lastAt = 2 * frames - 1;
    int common = 0;
    while (common < most && stack[at] == last[lastAt] && stack[at - 1] == last[lastAt - 1]) {
      at -= 2;
      lastAt -= 2;
      common++;
    }
    return common;
  }

  int node(int frame) {
    return nodes[frame];
  }

  int seen(int frame) {
    return seen[frame];
  }

  int unresolved(int frame) {
    return unresolved[frame];
  }

  /** Takes over another stack; what {@link #common} told of it stays known. */
  void begin(Window in, long[] stack, int size) {
    window = in;
    stretch = in.stretch();
    frames = 0; // until end(): what comes between may fail
    if (words.length < 2 * size) {
      words = new long[stack.length];
      nodes = Arrays.copyOf(nodes, stack.length / 2);
      seen = Arrays.copyOf(seen, stack.length / 2);
      unresolved = Arrays.copyOf(unresolved, stack.length / 2);
    }
    System.arraycopy(stack, 0, words, 0, 2 * size);
  }

  void put(int frame, int node, int seenSoFar, int unresolvedSoFar) {
    nodes[frame] = node;
    seen[frame] = seenSoFar;
    unresolved[frame] = unresolvedSoFar;
  }

  /** All frames are put. */
  void end(int size) {
    frames = size;
  }
}
