package io.jebpf.agent.top;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.pprof.ProfileData;
import io.jebpf.agent.pprof.ProfileData.Frame;
import io.jebpf.agent.pprof.ProfileData.Sample;
import io.jebpf.agent.pprof.ProfileData.SampleType;
import io.jebpf.agent.top.TopPage.Order;
import io.jebpf.agent.top.TopPage.Piece;
import io.jebpf.agent.top.TopPage.View;
import io.jebpf.agent.top.TopPage.Wish;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TopModelTest {
  private static final Frame LEAF = new Frame("app.A.leaf", "", 1, "[jvm inlined]");
  private static final Frame MAIN = new Frame("app.A.main", "", 1, "[jvm]");
  private static final Frame PARK = new Frame("jdk.internal.misc.Unsafe.park", "", 1, "[jvm]");

  private static ProfileData cpu() {
    return new ProfileData(
        List.of(new SampleType("samples", "count"), new SampleType("cpu", "nanoseconds")),
        List.of(
            new Sample(List.of(LEAF, MAIN), new long[] {60, 600}, Map.of("thread", "one")),
            new Sample(List.of(MAIN, MAIN), new long[] {10, 100}, Map.of("thread", "two"))),
        0,
        0,
        List.of());
  }

  private static ProfileData waits() {
    return new ProfileData(
        List.of(
            new SampleType("waits", "count"),
            new SampleType("offcpu", "nanoseconds"),
            new SampleType("runqueue", "nanoseconds")),
        List.of(
            new Sample(
                List.of(PARK, MAIN),
                new long[] {1, 500, 100},
                Map.of("thread", "two", "state", "blocked", "wait", "park")),
            new Sample(
                List.of(MAIN),
                new long[] {1, 200, 0},
                Map.of("thread", "one", "state", "runnable")),
            new Sample(
                List.of(PARK, MAIN),
                new long[] {1, 1000, 0},
                Map.of("thread", "three", "state", "blocked", "wait", "monitor"))),
        0,
        0,
        List.of());
  }

  private static final TopModel MODEL = TopModel.of(cpu(), waits(), 1000);

  @Test
  void methodsHaveTheirOwnTimeAndThatOfTheirStacks() {
    assertEquals(
        List.of(
            new TopModel.Method("app.A.leaf", 600, 600),
            new TopModel.Method("app.A.main", 100, 700)), // once for a stack that has it twice
        MODEL.methods());
  }

  @Test
  void threadsHaveTheirStatesAndTheLongestWait() {
    assertEquals(
        List.of(
            new TopModel.Activity("one", 600, 200, 0, "", ""),
            new TopModel.Activity("two", 100, 100, 400, "park", "app.A.main"),
            new TopModel.Activity("three", 0, 0, 1000, "monitor", "app.A.main")),
        MODEL.threads());
  }

  private static String text(Wish wish, int width, int height) {
    List<String> lines = new ArrayList<>();
    for (List<Piece> line : TopPage.of("title", MODEL, wish, width, height)) {
      StringBuilder text = new StringBuilder();
      line.forEach(piece -> text.append(piece.text()));
      lines.add(text.toString().stripTrailing());
    }
    return String.join("\n", lines);
  }

  @Test
  void barsAreParts() {
    String page = text(Wish.FIRST, 120, 0);
    assertTrue(page.contains("  60.0    60.0  app.A.leaf"), page);
    assertTrue(page.contains("one                             60.0 ############++++"), page);
    assertTrue(page.contains("10.0 ##++--------          park in app.A.main"), page);
    assertTrue(page.contains("0.0 --------------------  monitor in app.A.main"), page);
    assertTrue(page.contains("CPU 70.0%   running # 0.70   waiting for a CPU + 0.30"), page);
  }

  @Test
  void theUserChoosesAndThePageFits() {
    String methods = text(new Wish(View.METHODS, Order.TOTAL, 0, true), 60, 10);
    assertTrue(methods.indexOf("app.A.main") < methods.indexOf("app.A.leaf"), methods);
    assertTrue(methods.startsWith("title  [paused]") && !methods.contains("THREAD"), methods);
    String threads = text(new Wish(View.THREADS, Order.SELF, 1, false), 60, 10);
    assertTrue(!threads.contains("METHOD") && !threads.contains("one  "), threads);
    assertTrue(threads.contains("two  "), threads);
    for (int height : new int[] {5, 8, 24}) {
      for (View view : View.values()) {
        String page = text(new Wish(view, Order.SELF, 0, false), 40, height);
        assertTrue(page.lines().count() <= height + 2, page);
        assertTrue(page.lines().skip(2).allMatch(line -> line.length() <= 60), page);
      }
    }
  }
}
