package io.jebpf.it.matrix;

import java.lang.ref.SoftReference;
import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Pointer-rich garbage: every barrier of every collector, slow paths included, in recursion and in
 * loops. To be run with a heap of few megabytes.
 */
final class ChurnLoad implements Workload {
  private static final int KEPT = 3000;

  private final Node[] kept = new Node[KEPT];
  private final AtomicReference<Node> swapped = new AtomicReference<>();
  private final Map<Integer, Node> map = new HashMap<>();
  private final Deque<Node[]> arrays = new ArrayDeque<>();
  private int turn;

  private static final class Node {
    Node left;
    Node right;
    final Object payload;

    Node(Node left, Node right) {
      this.left = left;
      this.right = right;
      payload = new long[3];
    }
  }

  @Override
  public void round() {
    for (int i = 0; i < 40; i++) {
      int slot = turn++ % KEPT;
      kept[slot] = tree(7);
      link(kept[slot], kept[slot * 7 % KEPT], 6);
    }
    compareAndSet();
    references();
    fillMap();
    copyArrays();
    walk();
  }

  private static Node tree(int depth) {
    return depth == 0 ? null : new Node(tree(depth - 1), tree(depth - 1));
  }

  private static void link(Node young, Node old, int depth) {
    if (young == null || old == null || depth == 0) {
      return;
    }
    old.left = young.right;
    link(young.left, old.right, depth - 1);
    old.right = young.left;
    link(young.right, old.left, depth - 1);
  }

  private void compareAndSet() {
    for (int i = 0; i < 500; i++) {
      Node seen = swapped.get();
      swapped.compareAndSet(seen, new Node(kept[i], null));
      swapped.getAndSet(kept[i + 1]);
    }
  }

  private static void references() {
    for (int i = 0; i < 200; i++) {
      WeakReference<Node> weak = new WeakReference<>(new Node(null, null));
      SoftReference<Node> soft = new SoftReference<>(weak.get());
      MatrixLoad.sink += weak.get() == soft.get() ? 1 : 2;
    }
  }

  private void fillMap() {
    for (int i = 0; i < 300; i++) {
      map.put((turn + i) % 2000, kept[i]);
    }
  }

  private void copyArrays() {
    Node[] copy = kept.clone();
    System.arraycopy(kept, 1, copy, 0, KEPT - 1);
    arrays.addLast(copy);
    if (arrays.size() > 4) {
      System.arraycopy(arrays.removeFirst(), 0, kept, KEPT / 2, 100);
    }
  }

  private void walk() {
    long sum = 0;
    for (Node node : kept) {
      sum += depth(node, 12);
    }
    MatrixLoad.sink += sum;
  }

  private static int depth(Node node, int most) {
    return node == null || most == 0 ? 0 : 1 + depth(node.left, most - 1);
  }
}
