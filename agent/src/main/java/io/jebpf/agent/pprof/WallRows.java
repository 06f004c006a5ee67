package io.jebpf.agent.pprof;

import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Samples of running threads and waits in one, by state. A wait is taken apart: its time asleep
 * keeps its state, its time on the run queue is {@code runnable}. Who woke a thread is left out.
 */
final class WallRows implements ProfileRows {
  /** States that a set of labels of the window can have here. */
  private static final int RUNNING = 0;

  private static final int ASLEEP = 1;
  private static final int QUEUED = 2;
  private static final int STATES = 3;

  private final Window window;
  private final WindowOrder order;
  private final Map<Labels, Integer> numbers = new HashMap<>();
  private final List<Labels> sets = new ArrayList<>();
  private final int[] known; // by set of the window and state: number of the set here, plus 1

  // Parts of rows, in the order of their stacks; those with the same stack and labels are a sample.
  private final int[] parts;
  private final int[] leaves;
  private final int[] labels;
  private final double[] nanos;
  private int added;
  private int next;
  private int part;
  private long value;

  WallRows(Window window, WindowOrder order) {
    this.window = window;
    this.order = order;
    this.known = new int[STATES * window.labelSets()];
    int most = window.rows() + 2 * window.waitRows();
    this.leaves = new int[most];
    this.labels = new int[most];
    this.nanos = new double[most];
    for (int row = 0; row < window.rows(); row++) {
      add(window.leaf(row), window.labelsNumber(row), RUNNING, window.weight(row));
    }
    for (int row = 0; row < window.waitRows(); row++) {
      int set = window.waitLabelsNumber(row);
      add(window.waitLeaf(row), set, ASLEEP, window.waitBlocked(row));
      add(window.waitLeaf(row), set, QUEUED, window.waitRunnable(row));
    }
    this.parts = sorted();
  }

  private void add(int leaf, int set, int state, double time) {
    if (time > 0) {
      leaves[added] = leaf;
      labels[added] = number(set, state);
      nanos[added++] = time;
    }
  }

  private int number(int set, int state) {
    int at = STATES * set + state;
    if (known[at] == 0) {
      Labels made = labels(window.labelSet(set), state);
      Integer number = numbers.putIfAbsent(made, sets.size());
      if (number == null) {
        sets.add(made);
      }
      known[at] = 1 + (number == null ? sets.size() - 1 : number);
    }
    return known[at] - 1;
  }

  private static Labels labels(Labels set, int state) {
    Labels asleep = set.with(LabelKey.WAKER, "");
    return switch (state) {
      case RUNNING -> set.with(LabelKey.STATE, LabelKey.RUNNING);
      case QUEUED -> asleep.with(LabelKey.STATE, LabelKey.RUNNABLE).with(LabelKey.WAIT, "");
      default -> asleep;
    };
  }

  private int[] sorted() {
    int[] byLabels = WindowOrder.rows(Arrays.copyOf(labels, added), sets.size());
    int[] ranks = new int[added];
    for (int i = 0; i < added; i++) {
      ranks[i] = order.nodeRank(leaves[byLabels[i]]);
    }
    int[] sorted = WindowOrder.rows(ranks, order.nodeRanksMax());
    for (int i = 0; i < added; i++) {
      sorted[i] = byLabels[sorted[i]];
    }
    return sorted;
  }

  @Override
  public boolean next() {
    while (next < parts.length) {
      part = parts[next++];
      double sum = nanos[part];
      while (next < parts.length && isSame(parts[next], part)) {
        sum += nanos[parts[next++]];
      }
      value = Math.round(sum);
      if (value > 0) {
        return true;
      }
    }
    return false;
  }

  private boolean isSame(int one, int other) {
    return leaves[one] == leaves[other] && labels[one] == labels[other];
  }

  @Override
  public void rewind() {
    next = 0;
  }

  @Override
  public int leaf() {
    return leaves[part];
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
    return sets.get(labels[part]);
  }
}
