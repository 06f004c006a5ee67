package io.jebpf.agent.pprof;

import io.jebpf.agent.window.Window;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * The text that flame graph tools take: a line a stack, frames from the root on, divided by {@code
 * ;}, then a space and the nanoseconds. Labels are left out, equal stacks are one line.
 */
public final class Collapsed {
  private Collapsed() {}

  public static void write(Window window, ProfileKind kind, OutputStream out) throws IOException {
    Map<Integer, Long> sums = new TreeMap<>(); // in the order the stacks were met
    ProfileRows rows = kind.rows(window);
    while (rows.next()) {
      sums.merge(rows.leaf(), kind.nanos(rows), Long::sum);
    }
    StringBuilder line = new StringBuilder();
    for (Map.Entry<Integer, Long> sum : sums.entrySet()) {
      line.setLength(0);
      append(window, sum.getKey(), line);
      line.append(' ').append(sum.getValue()).append('\n');
      out.write(line.toString().getBytes(StandardCharsets.UTF_8));
    }
  }

  private static void append(Window window, int leaf, StringBuilder line) {
    int depth = 0;
    for (int node = leaf; node != Window.ROOT; node = window.parent(node)) {
      depth++;
    }
    int[] path = new int[depth];
    for (int node = leaf; node != Window.ROOT; node = window.parent(node)) {
      path[--depth] = node;
    }
    for (int i = 0; i < path.length; i++) {
      String name = window.functionName(window.functionOf(window.location(path[i])));
      line.append(i == 0 ? "" : ";").append(name.replace(';', ',').replace('\n', ' '));
    }
  }
}
