package io.jebpf.agent.pprof;

import io.jebpf.agent.window.Window;
import java.util.Arrays;
import java.util.Comparator;

/**
 * In which order the parts of a window are written, so that what is alike stands together and takes
 * little space once compressed: stacks as a walk through their tree, functions by name, locations
 * by function. One for all kinds of profiles of a window; good until the window changes. Owner: one
 * thread.
 */
public final class WindowOrder {
  private final int[] nodeRanks;
  private final int[] functions;
  private final int[] locations;

  public WindowOrder(Window window) {
    this.nodeRanks = nodeRanks(window);
    this.functions = functionsByName(window);
    this.locations = locationsByFunction(window, functions);
  }

  /**
   * Place of a stack, given by its leaf, in a walk through the tree that goes to the callees first.
   */
  static int[] nodeRanks(Window window) {
    int nodes = window.nodes();
    int[] sizes = new int[nodes];
    Arrays.fill(sizes, 1);
    for (int node = nodes - 1; node > Window.ROOT; node--) { // a parent has the lower number
      sizes[window.parent(node)] += sizes[node];
    }
    int[] ranks = new int[nodes];
    int[] next = new int[nodes]; // rank of the next child
    next[Window.ROOT] = 1;
    for (int node = Window.ROOT + 1; node < nodes; node++) {
      int parent = window.parent(node);
      ranks[node] = next[parent];
      next[node] = next[parent] + 1;
      next[parent] += sizes[node];
    }
    return ranks;
  }

  /** Rows in the order of their stacks; those of one stack as they came. */
  static int[] rows(int rows, java.util.function.IntUnaryOperator rank) {
    long[] keys = new long[rows];
    for (int row = 0; row < rows; row++) {
      keys[row] = (long) rank.applyAsInt(row) << 32 | row;
    }
    Arrays.sort(keys);
    int[] order = new int[rows];
    for (int i = 0; i < rows; i++) {
      order[i] = (int) keys[i];
    }
    return order;
  }

  private static int[] functionsByName(Window window) {
    Integer[] sorted = new Integer[window.functions()];
    Arrays.setAll(sorted, i -> i);
    Arrays.sort(
        sorted,
        Comparator.comparing((Integer function) -> window.functionName(function))
            .thenComparing(window::functionFile));
    int[] order = new int[sorted.length];
    Arrays.setAll(order, i -> sorted[i]);
    return order;
  }

  private static int[] locationsByFunction(Window window, int[] functions) {
    int[] starts = new int[functions.length + 1]; // of each function's locations
    for (int location = 0; location < window.locations(); location++) {
      starts[window.functionOf(location)]++;
    }
    int start = 0;
    for (int function : functions) {
      int count = starts[function];
      starts[function] = start;
      start += count;
    }
    int[] order = new int[window.locations()];
    for (int location = 0; location < order.length; location++) {
      order[starts[window.functionOf(location)]++] = location;
    }
    return order;
  }

  int nodeRank(int node) {
    return nodeRanks[node];
  }

  /** All functions of the window, by name. */
  int[] functions() {
    return functions;
  }

  /** All locations of the window, by their function's name. */
  int[] locations() {
    return locations;
  }
}
