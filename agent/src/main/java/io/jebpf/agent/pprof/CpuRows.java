package io.jebpf.agent.pprof;

import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Window;

/** Samples of running threads. */
final class CpuRows implements ProfileRows {
  private final Window window;
  private final int[] order;
  private int next;
  private int row;

  CpuRows(Window window, WindowOrder order) {
    this.window = window;
    int[] ranks = new int[window.rows()];
    for (int i = 0; i < ranks.length; i++) {
      ranks[i] = order.nodeRank(window.leaf(i));
    }
    this.order = WindowOrder.rows(ranks, order.nodeRanksMax());
  }

  @Override
  public boolean next() {
    if (next == order.length) {
      return false;
    }
    row = order[next++];
    return true;
  }

  @Override
  public void rewind() {
    next = 0;
  }

  @Override
  public int leaf() {
    return window.leaf(row);
  }

  @Override
  public int values() {
    return 2;
  }

  @Override
  public long value(int index) {
    return index == 0 ? window.count(row) : window.weight(row);
  }

  @Override
  public Labels labels() {
    return window.labelsOf(row);
  }
}
