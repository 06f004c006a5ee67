package io.jebpf.agent.pprof;

import io.jebpf.agent.window.Labels;

/**
 * The samples of one profile, one at a time: {@link #next} moves to the next one, the other methods
 * tell of it. A sample has at least one value above 0, and no two have the same stack and labels.
 */
interface ProfileRows {
  /** False after the last sample. */
  boolean next();

  /** Before the first sample again. */
  void rewind();

  /** Leaf of the stack in the window's tree. */
  int leaf();

  /** How many values a sample has. */
  int values();

  long value(int index);

  Labels labels();
}
