package io.jebpf.agent.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class IntervalTest {
  private static final Mapping MAIN = Mapping.ofFile("/usr/bin/java");
  private static final long NOW = 77_000_000_000_000L;

  private static int stack(Window window, int detail) {
    return window.push(
        Window.ROOT,
        1,
        detail,
        (into, head, number) ->
            into.define(
                Mapping.JVM, 0, "m" + number, "M.java", (int) number, Window.FrameClass.RESOLVED));
  }

  private static int labels(Window window, String thread) {
    return window.labels(Labels.of(LabelKey.THREAD, thread).with(LabelKey.STATE, LabelKey.BLOCKED));
  }

  private static Mark mark(long nanos) {
    Mark zero = Mark.ZERO;
    return new Mark(nanos, zero.counters(), zero.offCpu(), 0, 0, 99, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  private static Segment segment(Window window, long serial, long begin, long end) {
    return new SegmentWriter(window).write(serial, mark(begin), mark(end)).compressed();
  }

  /** Nanoseconds asleep and waiting for a CPU, and numbers of waits, by stack and thread. */
  private static Map<String, double[]> waits(List<Segment> segments, long from, long to) {
    Interval interval = new Interval(from, to, Filter.NONE, Interval.Parts.BOTH, MAIN);
    interval.add(segments);
    Window window = interval.window();
    Map<String, double[]> sums = new TreeMap<>();
    for (int row = 0; row < window.waitRows(); row++) {
      String name = window.functionName(window.functionOf(window.location(window.waitLeaf(row))));
      String key = name + window.waitLabelsOf(row).get(LabelKey.THREAD);
      double[] sum = sums.computeIfAbsent(key, k -> new double[3]);
      sum[0] += window.waitBlocked(row);
      sum[1] += window.waitRunnable(row);
      sum[2] += window.waitCount(row);
    }
    return sums;
  }

  @Test
  void waitsAreCutToTheNanosecondAndPartsAddUp() {
    Random random = new Random(3);
    Window window = new Window(Window.Limits.STANDARD, MAIN);
    double asleep = 0;
    double queued = 0;
    double counted = 0;
    for (int i = 0; i < 500; i++) {
      long from = NOW + random.nextInt(1_000_000);
      long turn = from + random.nextInt(100_000);
      long end = turn + 1 + random.nextInt(1000);
      double weight = i % 3 == 0 ? 1 : 1 + random.nextDouble();
      boolean first = random.nextBoolean();
      window.addWait(
          stack(window, i % 7), labels(window, "t" + i % 3), weight, first, from, turn, end);
      asleep += weight * (turn - from);
      queued += weight * (end - turn);
      counted += first ? weight : 0;
    }
    List<Segment> segments = List.of(segment(window, 1, NOW, NOW + 2_000_000));
    assertEquals(21, waits(segments, NOW, NOW + 2_000_000).size());
    double[] parts = new double[3];
    long at = NOW - 5;
    while (at < NOW + 2_000_000) {
      long next = at + 1 + random.nextInt(60_000);
      waits(segments, at, next)
          .values()
          .forEach(
              sum -> {
                for (int i = 0; i < 3; i++) {
                  parts[i] += sum[i];
                }
              });
      at = next;
    }
    assertEquals(asleep, parts[0], 1e-6 * asleep);
    assertEquals(queued, parts[1], 1e-6 * queued);
    assertEquals(counted, parts[2], 1e-6 * counted);
  }

  @Test
  void aWaitIsCountedWhereItsStretchEnds() {
    Window window = new Window(Window.Limits.STANDARD, MAIN);
    window.addWait(stack(window, 1), labels(window, "t"), 1, true, NOW, NOW + 60, NOW + 100);
    List<Segment> segments = List.of(segment(window, 1, NOW, NOW + 200));
    assertEquals(0, waits(segments, NOW + 10, NOW + 50).get("m1t")[2]);
    assertEquals(40, waits(segments, NOW + 10, NOW + 50).get("m1t")[0]);
    double[] tail = waits(segments, NOW + 50, NOW + 100).get("m1t");
    assertEquals(10, tail[0]);
    assertEquals(40, tail[1]);
    assertEquals(1, tail[2]);
    assertTrue(waits(segments, NOW + 100, NOW + 200).isEmpty());
  }

  @Test
  void openWaitsAreInThePictureAndNotInTheWindow() {
    Window window = new Window(Window.Limits.STANDARD, MAIN);
    window.add(stack(window, 5), labels(window, "r"), 7, NOW + 3);
    SegmentWriter writer = new SegmentWriter(window);
    writer.wait(stack(window, 2), labels(window, "t"), NOW - 50, NOW + 40, NOW + 40, true);
    List<Segment> picture = List.of(writer.write(4, mark(NOW), mark(NOW + 40)));
    assertEquals(0, window.waitRows());
    double[] sums = waits(picture, NOW, NOW + 30).get("m2t");
    assertEquals(30, sums[0]);
    assertEquals(0, sums[2], "it goes on");
    assertEquals(1, waits(picture, NOW, NOW + 40).get("m2t")[2]);
  }

  @Test
  void aSegmentIsSmall() {
    Window window = new Window(Window.Limits.STANDARD, MAIN);
    Random random = new Random(1);
    for (int i = 0; i < 2000; i++) {
      window.add(
          stack(window, random.nextInt(300)),
          labels(window, "t"),
          10_101_010,
          NOW + 5_050_505L * i);
    }
    Segment plain = new SegmentWriter(window).write(1, mark(NOW), mark(NOW));
    assertTrue(plain.compressed().bytes() < plain.bytes());
    assertTrue(plain.bytes() < 2000 * 12, plain.bytes() + " bytes");
    assertEquals(0, plain.dropped());
  }

  @Test
  void aFullLogIsCountedAndTheRowsStay() {
    Window window = new Window(new Window.Limits(100, 100, 100, 64), MAIN);
    for (int i = 0; i < 100; i++) {
      window.add(stack(window, 1), labels(window, "t"), 1, NOW + i * 1_000_000L);
    }
    assertTrue(window.isNearlyFull());
    assertEquals(100, window.count(0));
    Segment segment = segment(window, 1, NOW, NOW + 1_000_000_000);
    Interval interval =
        new Interval(NOW, NOW + 1_000_000_000, Filter.NONE, Interval.Parts.BOTH, MAIN);
    interval.add(List.of(segment));
    assertEquals(100, interval.window().taken() + segment.dropped());
    assertTrue(segment.dropped() > 0);
  }

  @Test
  void starsMatchAnyText() {
    for (String yes : List.of("pool-*", "*", "pool-1-thread-7", "p*1*7", "*7", "**7*")) {
      assertTrue(Filter.matches(yes, "pool-1-thread-7"), yes);
    }
    for (String no : List.of("", "pool", "*8", "p*2*", "pool-1-thread-7?")) {
      assertFalse(Filter.matches(no, "pool-1-thread-7"), no);
    }
    long start = System.nanoTime();
    assertFalse(Filter.matches("*a".repeat(50) + "b", "a".repeat(10_000)));
    assertTrue(System.nanoTime() - start < 10_000_000_000L, "no text makes it slow");
  }

  @Test
  void theHistoryIsBoundByAgeAndMemory() {
    History history = new History(1000, 1 << 20);
    Window window = new Window(Window.Limits.STANDARD, MAIN);
    window.add(stack(window, 1), labels(window, "t"), 1, NOW);
    for (int i = 1; i <= 30; i++) {
      history.add(segment(window, i, NOW + 100 * i, NOW + 100 * i + 100));
    }
    assertEquals(11, history.segments().size());
    assertEquals(0, history.driven());
    History small = new History(1 << 30, 3 * segment(window, 1, NOW, NOW).bytes());
    for (int i = 1; i <= 30; i++) {
      small.add(segment(window, i, NOW + 100 * i, NOW + 100 * i + 100));
    }
    assertEquals(3, small.segments().size());
    assertEquals(27, small.driven());
    assertEquals(28, small.segments().get(0).serial());
  }
}
