package io.jebpf.agent.pprof;

import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Window;

/** Samples of running threads. */
final class CpuRows implements ProfileRows {
  private final Window window;
  private int row = -1;

  CpuRows(Window window) {
    this.window = window;
  }

  @Override
  public boolean next() {
    return ++row < window.rows();
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
