package io.jebpf.agent.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class WindowTest {
  private static final Mapping MAIN = Mapping.ofFile("/usr/bin/java");
  private int resolved;

  /** Frame n is the function fn; head 1 has one location, head k has k (inlined callees first). */
  private final Window.Resolver resolver =
      (window, head, detail) -> {
        resolved++;
        for (int i = 0; i < head; i++) {
          window.define(
              Mapping.JVM,
              0,
              "f" + detail + (i == head - 1 ? "" : ".inlined" + i),
              "F.java",
              7,
              detail == 13 ? Window.FrameClass.UNRESOLVED : Window.FrameClass.RESOLVED);
        }
      };

  private static Window window() {
    return new Window(Window.Limits.STANDARD, MAIN);
  }

  private int stack(Window window, long... rootFirst) {
    int node = Window.ROOT;
    for (long detail : rootFirst) {
      node = window.push(node, 1, detail, resolver);
    }
    return node;
  }

  private static List<String> names(Window window, int row) {
    List<String> names = new ArrayList<>();
    for (int node = window.leaf(row); node != Window.ROOT; node = window.parent(node)) {
      names.add(window.functionName(window.functionOf(window.location(node))));
    }
    return names;
  }

  @Test
  void equalStacksOfOneThreadAreOneRow() {
    Window window = window();
    int main = thread(window, "main");
    int other = thread(window, "other");
    window.add(stack(window, 1, 2, 3), main, 10, 0);
    window.add(stack(window, 1, 2, 3), main, 20, 0);
    window.add(stack(window, 1, 2, 3), other, 5, 0);
    window.add(stack(window, 1, 2), main, 1, 0);
    assertEquals(3, window.rows());
    assertEquals(List.of("f3", "f2", "f1"), names(window, 0));
    assertEquals(2, window.count(0));
    assertEquals(30, window.weight(0));
    assertEquals("other", window.labelsOf(1).get(LabelKey.THREAD));
    assertEquals(List.of("f2", "f1"), names(window, 2));
    assertEquals(4, window.taken());
    assertEquals(36, window.weightNanos());
    assertEquals(11, window.framesSeen());
    assertEquals(3, resolved);
  }

  @Test
  void inlinedFramesAreLeafFirst() {
    Window window = window();
    int node = window.push(Window.ROOT, 1, 1, resolver);
    node = window.push(node, 3, 2, resolver);
    window.add(node, thread(window, "t"), 1, 0);
    assertEquals(List.of("f2.inlined0", "f2.inlined1", "f2", "f1"), names(window, 0));
    assertEquals(4, window.framesSeen());
  }

  @Test
  void ownStacksEndAfterEightFramesOfTheAgent() {
    Window window = window();
    Window.Resolver naming =
        (into, head, detail) -> {
          String name = head == 1 ? "io.jebpf.agent.F" + detail : "f" + detail;
          into.define(Mapping.JVM, 0, name, "", 0, Window.FrameClass.RESOLVED);
        };
    int node = window.push(Window.ROOT, 2, 0, naming);
    for (int i = 1; i < 8; i++) {
      node = window.push(node, 1, i, naming);
      assertEquals(node, window.inside(node));
    }
    int jdk = window.push(node, 2, 9, naming);
    assertEquals(jdk, window.inside(jdk)); // one of theirs between
    int last = window.push(jdk, 1, 8, naming);
    int end = window.inside(last);
    window.add(end, thread(window, "jebpf-reader"), 1, 0);
    assertEquals(11, names(window, 0).size());
    assertEquals(
        List.of("[inside jebpf]", "io.jebpf.agent.F8", "f9", "io.jebpf.agent.F7"),
        names(window, 0).subList(0, 4));
    assertEquals(end, window.inside(last));
    assertEquals(10, window.framesSeen());
    assertEquals(Window.OVERFLOW, window.inside(Window.OVERFLOW));
  }

  @Test
  void unresolvedFramesAreCountedPerSample() {
    Window window = window();
    for (int i = 0; i < 3; i++) {
      window.add(stack(window, 1, 13, 2), thread(window, "t"), 1, 0);
    }
    assertEquals(9, window.framesSeen());
    assertEquals(3, window.framesUnresolved());
  }

  @Test
  void agreesWithAPlainMapOnRandomStacks() {
    Window window = window();
    Map<List<String>, Long> expected = new HashMap<>();
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      int depth = 1 + random.nextInt(12);
      long[] details = new long[depth];
      List<String> key = new ArrayList<>();
      for (int j = 0; j < depth; j++) {
        details[j] = 100 + random.nextInt(3 + j);
        key.add(0, "f" + details[j]);
      }
      String thread = "t" + random.nextInt(2);
      int weight = random.nextInt(1000);
      int before = window.rows();
      window.add(stack(window, details), thread(window, thread), weight, 0);
      key.add(thread);
      if (window.overflowed() == 0) {
        expected.merge(key, (long) weight, Long::sum);
        assertTrue(window.rows() - before <= 1);
      } else {
        break;
      }
    }
    assertTrue(expected.size() > 1000);
    Map<List<String>, Long> got = new HashMap<>();
    for (int row = 0; row < window.rows(); row++) {
      List<String> key = names(window, row);
      key.add(window.labelsOf(row).get(LabelKey.THREAD));
      if (!key.contains(Window.OVERFLOW_NAME)) {
        got.merge(key, window.weight(row), Long::sum);
      }
    }
    assertEquals(expected, got, "seed " + seed);
  }

  @Test
  void whatDoesNotFitIsCountedInAStackThatSaysSo() {
    for (Window.Limits limits :
        List.of(
            new Window.Limits(8, 1000, 1000, 1 << 16),
            new Window.Limits(1000, 16, 1000, 1 << 16),
            new Window.Limits(1000, 1000, 8, 1 << 16))) {
      Window window = new Window(limits, MAIN);
      boolean toldInTime = false;
      for (int i = 0; i < 50; i++) {
        window.add(stack(window, i), thread(window, "t"), 100, 0);
        toldInTime |= window.isNearlyFull() && window.overflowed() == 0;
      }
      assertTrue(toldInTime, "no early word at " + limits);
      assertTrue(window.overflowed() > 0, limits.toString());
      long weight = 0;
      long count = 0;
      long marked = 0;
      for (int row = 0; row < window.rows(); row++) {
        weight += window.weight(row);
        count += window.count(row);
        marked += names(window, row).contains(Window.OVERFLOW_NAME) ? window.count(row) : 0;
      }
      assertEquals(5000, weight, limits.toString());
      assertEquals(50, count, limits.toString());
      assertEquals(window.overflowed(), marked, limits.toString());
    }
  }

  @Test
  void aSampleWithoutFramesSaysSo() {
    Window window = window();
    window.add(Window.ROOT, thread(window, "t"), 3, 0);
    assertEquals(List.of(Window.NO_FRAMES_NAME), names(window, 0));
    assertEquals("t", window.labelsOf(0).get(LabelKey.THREAD));
    assertEquals(0, window.overflowed());
  }

  @Test
  void clearForgetsEverythingButTheMainBinary() {
    Window window = window();
    for (int i = 0; i < 5000; i++) {
      window.add(stack(window, 1, 2, i), thread(window, "t" + i % 7), 1, 0);
    }
    window.clear();
    assertTrue(window.isEmpty());
    assertFalse(window.isNearlyFull());
    assertEquals(0, window.rows());
    assertEquals(0, window.locations());
    assertEquals(List.of(MAIN), window.mappings());
    window.add(stack(window, 9), thread(window, "x"), 2, 0);
    assertEquals(List.of("f9"), names(window, 0));
    assertEquals("x", window.labelsOf(0).get(LabelKey.THREAD));
  }

  private static int thread(Window window, String name) {
    return window.labels(Labels.of(LabelKey.THREAD, name));
  }

  /** What two stacks in a row have in common is not looked up: nothing else may differ by it. */
  @Test
  void aStackAsAWholeIsWhatItsFramesAre() {
    Random random = new Random(7);
    Window one = new Window(new Window.Limits(1_000, 3_000, 1_000, 0), MAIN);
    Window two = new Window(new Window.Limits(1_000, 3_000, 1_000, 0), MAIN);
    LastStack last = new LastStack();
    long[] words = new long[1_200];
    int size = 0;
    int full = 0;
    for (int round = 0; round < 5_000; round++) {
      int keep = random.nextInt(size + 1); // frames from the root on that stay
      int next = Math.min(random.nextInt(5) == 0 ? random.nextInt(600) : keep + 3, 600);
      keep = Math.min(keep, next);
      System.arraycopy(words.clone(), 2 * (size - keep), words, 2 * (next - keep), 2 * keep);
      for (int i = 0; i < next - keep; i++) {
        words[2 * i] = 1 + random.nextInt(2);
        words[2 * i + 1] = random.nextInt(20);
      }
      size = next;
      int node = Window.ROOT;
      for (int i = size - 1; i >= 0; i--) {
        node = one.push(node, words[2 * i], words[2 * i + 1], resolver);
      }
      assertEquals(node, two.push(words, size, last, resolver), "round " + round);
      one.add(node, one.labels(Labels.NONE), 1, 0);
      two.add(node, two.labels(Labels.NONE), 1, 0);
      assertEquals(one.framesSeen(), two.framesSeen());
      assertEquals(one.framesUnresolved(), two.framesUnresolved());
      if (node == Window.OVERFLOW || random.nextInt(100) == 0) {
        full += node == Window.OVERFLOW ? 1 : 0;
        one.clear();
        two.clear();
      }
    }
    assertTrue(full > 10, "the tree was full " + full + " times");
  }

  @Test
  void aStackIsNotTakenForThatOfAnotherWindow() {
    LastStack last = new LastStack();
    long[] words = {1, 3, 1, 2, 1, 1};
    Window first = window();
    first.add(first.push(words, 3, last, resolver), first.labels(Labels.NONE), 1, 0);
    Window second = window();
    second.add(second.push(words, 3, last, resolver), second.labels(Labels.NONE), 1, 0);
    assertEquals(List.of("f3", "f2", "f1"), names(second, 0));
    assertEquals(3, second.framesSeen());
    first.clear();
    first.add(first.push(words, 3, last, resolver), first.labels(Labels.NONE), 1, 0);
    assertEquals(List.of("f3", "f2", "f1"), names(first, 0));
  }
}
