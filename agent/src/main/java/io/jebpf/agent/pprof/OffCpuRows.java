package io.jebpf.agent.pprof;

import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Window;

/** Waits. */
final class OffCpuRows implements ProfileRows {
  private final Window window;
  private int row = -1;

  OffCpuRows(Window window) {
    this.window = window;
  }

  @Override
  public boolean next() {
    while (++row < window.waitRows()) {
      if (value(0) > 0 || value(1) > 0 || value(2) > 0) {
        return true;
      }
    }
    return false;
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
