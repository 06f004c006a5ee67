package io.jebpf.agent.pprof;

import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Window;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;

/**
 * Samples of running threads and waits in one, by state. A wait is taken apart: its time asleep
 * keeps its state, its time on the run queue is {@code runnable}. Who woke a thread is left out.
 */
final class WallRows implements ProfileRows {
  private record Key(int leaf, Labels labels) {}

  private final Iterator<Map.Entry<Key, double[]>> rows;
  private Key key = new Key(0, Labels.NONE);
  private long value;

  WallRows(Window window) {
    Map<Key, double[]> sums = new HashMap<>();
    for (int row = 0; row < window.rows(); row++) {
      Labels labels = window.labelsOf(row).with(LabelKey.STATE, LabelKey.RUNNING);
      add(sums, window.leaf(row), labels, window.weight(row));
    }
    for (int row = 0; row < window.waitRows(); row++) {
      Labels asleep = window.waitLabelsOf(row).with(LabelKey.WAKER, "");
      Labels queued = asleep.with(LabelKey.STATE, LabelKey.RUNNABLE).with(LabelKey.WAIT, "");
      add(sums, window.waitLeaf(row), asleep, window.waitBlocked(row));
      add(sums, window.waitLeaf(row), queued, window.waitRunnable(row));
    }
    rows = sums.entrySet().iterator();
  }

  private static void add(Map<Key, double[]> sums, int leaf, Labels labels, double nanos) {
    if (nanos > 0) {
      sums.computeIfAbsent(new Key(leaf, labels), k -> new double[1])[0] += nanos;
    }
  }

  @Override
  public boolean next() {
    while (rows.hasNext()) {
      Map.Entry<Key, double[]> entry = rows.next();
      key = entry.getKey();
      value = Math.round(entry.getValue()[0]);
      if (value > 0) {
        return true;
      }
    }
    return false;
  }

  @Override
  public int leaf() {
    return key.leaf();
  }

  @Override
  public int values() {
    return 1;
  }

  @Override
  public long value(int index) {
    return value;
  }

  @Override
  public Labels labels() {
    return key.labels();
  }
}
