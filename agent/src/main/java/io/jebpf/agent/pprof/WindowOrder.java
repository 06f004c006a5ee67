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

  /**
   * Rows in the order of their ranks; those of one rank as they came. By counting: the library's
   * sorting of numbers brings a dozen classes for doing it in parallel.
   *
   * @param ranks of each row
   * @param ranksMax more than any of them
   */
  static int[] rows(int[] ranks, int ranksMax) {
    int[] starts = new int[ranksMax + 1]; // of each rank's rows
    for (int rank : ranks) {
      starts[rank + 1]++;
    }
    for (int rank = 0; rank < ranksMax; rank++) {
      starts[rank + 1] += starts[rank];
    }
    int[] order = new int[ranks.length];
    for (int row = 0; row < order.length; row++) {
      order[starts[ranks[row]]++] = row;
    }
    return order;
  }

  /** A class and no lambdas: these would be spun in the host's JVM while nothing is compiled. */
  private record ByName(Window window) implements Comparator<Integer> {
    @Override
    public int compare(Integer one, Integer other) {
      int byName = window.functionName(one).compareTo(window.functionName(other));
      return byName != 0 ? byName : window.functionFile(one).compareTo(window.functionFile(other));
    }
  }

  private static int[] functionsByName(Window window) {
    Integer[] sorted = new Integer[window.functions()];
    for (int i = 0; i < sorted.length; i++) {
      sorted[i] = i;
    }
    Arrays.sort(sorted, new ByName(window));
    int[] order = new int[sorted.length];
    for (int i = 0; i < order.length; i++) {
      order[i] = sorted[i];
    }
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

  /** More than any rank of a node. */
  int nodeRanksMax() {
    return nodeRanks.length;
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
