package io.jebpf.agent.pprof;

import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Window;

/** Waits. */
final class OffCpuRows implements ProfileRows {
  private final Window window;
  private final int[] order;
  private int next;
  private int row;

  OffCpuRows(Window window, WindowOrder order) {
    this.window = window;
    int[] ranks = new int[window.waitRows()];
    for (int i = 0; i < ranks.length; i++) {
      ranks[i] = order.nodeRank(window.waitLeaf(i));
    }
    this.order = WindowOrder.rows(ranks, order.nodeRanksMax());
  }

  @Override
  public boolean next() {
    while (next < order.length) {
      row = order[next++];
      if (value(0) > 0 || value(1) > 0 || value(2) > 0) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void rewind() {
    next = 0;
  }

  @Override
  public int leaf() {
    return window.waitLeaf(row);
  }

  @Override
  public int values() {
    return 3;
  }

  @Override
  public long value(int index) {
    return Math.round(
        switch (index) {
          case 0 -> window.waitCount(row);
          case 1 -> window.waitBlocked(row);
          default -> window.waitRunnable(row);
        });
  }

  @Override
  public Labels labels() {
    return window.waitLabelsOf(row);
  }
}
