package io.jebpf.agent.pprof;

import io.jebpf.agent.window.Window;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * In which order the parts of a window are written, so that what is alike stands together and takes
 * little space once compressed: stacks as a walk through their tree, functions by file and name,
 * locations by function. One for all kinds of profiles of a window; good until the window changes.
 * Owner: one thread.
 */
public final class WindowOrder {
  private final int[] nodeRanks;
  private final int[] functions;
  private final int[] locations;
  private final byte[][] names; // of functions, in UTF-8

  public WindowOrder(Window window) {
    this.nodeRanks = nodeRanks(window);
    this.names = new byte[window.functions()][];
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

  /**
   * By file, then by name. Texts are compared as bytes, eight at a time even before it is compiled;
   * the first window meets a JVM in which nothing is. A class and no lambdas for the same reason.
   */
  private record ByName(int[] fileRanks, byte[][] names) implements Comparator<Integer> {
    @Override
    public int compare(Integer one, Integer other) {
      int byFile = fileRanks[one] - fileRanks[other];
      return byFile != 0 ? byFile : Arrays.compare(names[one], names[other]);
    }
  }

  private int[] functionsByName(Window window) {
    Map<String, Integer> numbers = new HashMap<>(); // of files
    List<byte[]> files = new ArrayList<>();
    int[] ofFunction = new int[names.length];
    for (int i = 0; i < names.length; i++) {
      String file = window.functionFile(i);
      Integer number = numbers.get(file);
      if (number == null) {
        number = files.size();
        numbers.put(file, number);
        files.add(file.getBytes(StandardCharsets.UTF_8));
      }
      ofFunction[i] = number;
      names[i] = window.functionName(i).getBytes(StandardCharsets.UTF_8);
    }
    int[] noRanks = new int[files.size()];
    int[] filesByName = sorted(new ByName(noRanks, files.toArray(new byte[0][])), files.size());
    int[] ranks = new int[files.size()];
    for (int i = 0; i < ranks.length; i++) {
      ranks[filesByName[i]] = i;
    }
    for (int i = 0; i < ofFunction.length; i++) {
      ofFunction[i] = ranks[ofFunction[i]];
    }
    return sorted(new ByName(ofFunction, names), names.length);
  }

  private static int[] sorted(ByName comparator, int size) {
    Integer[] boxed = new Integer[size];
    for (int i = 0; i < size; i++) {
      boxed[i] = i;
    }
    Arrays.sort(boxed, comparator);
    int[] order = new int[size];
    for (int i = 0; i < size; i++) {
      order[i] = boxed[i];
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

  /** A function's name in UTF-8. */
  byte[] name(int function) {
    return names[function];
  }

  /** All functions of the window, by file and name. */
  int[] functions() {
    return functions;
  }

  /** All locations of the window, in the order of their functions. */
  int[] locations() {
    return locations;
  }
}
