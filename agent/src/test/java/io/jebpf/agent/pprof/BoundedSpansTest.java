package io.jebpf.agent.pprof;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BoundedSpansTest {
  private static final int STACKS = 20;
  private static final int THREADS = 3;
  private static final long LONG_NANOS = 5_000_000_000L;

  /** One sample as it is in a profile; {@code span} is empty for one without. */
  private record Row(int leaf, Labels alike, String span, List<Long> values) {
    long nanos() {
      return values.size() == 1 ? values.get(0) : values.get(1) + values.get(2);
    }
  }

  private static int leaf(Window window, int stack) {
    int node =
        window.child(Window.ROOT, window.location(Mapping.JVM, 0, "app.Main.run", "Main.java", 1));
    return window.child(
        node, window.location(Mapping.JVM, 0, "app.Main.wait" + stack, "Main.java", stack));
  }

  private static Labels labels(int thread, String span) {
    Labels labels =
        Labels.of(LabelKey.THREAD, "worker-" + thread).with(LabelKey.STATE, LabelKey.BLOCKED);
    return span.isEmpty()
        ? labels
        : labels
            .with(LabelKey.SPAN_ID, span)
            .with(LabelKey.TRACE_ID, "0123456789abcdef" + span)
            .with(LabelKey.ROOT_SPAN, "GET /orders");
  }

  private static String span(int number) {
    return String.format("%016x", number * 0x9E3779B97F4A7C15L | 1);
  }

  /** Waits in spans of their own, of mixed lengths; some long ones, some without a span. */
  private static Window window(int spans) {
    Window window = new Window(Window.Limits.STANDARD, Mapping.ofFile("/usr/lib/jvm/bin/java"));
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < spans; i++) {
      long blocked = i % 300 == 299 ? LONG_NANOS + i : 10_000 + random.nextInt(3_000_000);
      double weight = blocked < 1_000_000 ? 10.0 : 1.0;
      int stack = random.nextInt(STACKS) * random.nextInt(STACKS) / STACKS;
      add(window, stack, labels(i % THREADS, span(i)), weight, blocked, random.nextInt(50_000));
    }
    for (int i = 0; i < STACKS; i++) {
      add(window, i, labels(i % THREADS, ""), 1, 5_000_000, 0);
    }
    return window;
  }

  private static void add(
      Window window, int stack, Labels labels, double weight, long blocked, long queued) {
    window.addWait(
        leaf(window, stack), window.labels(labels), weight, true, 0, blocked, blocked + queued);
  }

  private static Map<String, Row> read(ProfileRows rows) {
    Map<String, Row> all = new HashMap<>();
    while (rows.next()) {
      Labels set = rows.labels();
      Long[] values = new Long[rows.values()];
      Arrays.setAll(values, rows::value);
      Labels alike = set.with(LabelKey.SPAN_ID, "").with(LabelKey.TRACE_ID, "");
      Row row = new Row(rows.leaf(), alike, set.get(LabelKey.SPAN_ID), List.of(values));
      assertTrue(all.put(rows.leaf() + " " + set, row) == null, "twice: " + set);
    }
    rows.rewind();
    return all;
  }

  private static BoundedSpans bounded(Window window, ProfileKind kind, long seed) {
    return assertInstanceOf(
        BoundedSpans.class, BoundedSpans.of(kind.rows(window), kind, STACKS + 1, seed));
  }

  private static Map<String, List<Long>> totals(Map<String, Row> rows) {
    Map<String, List<Long>> totals = new HashMap<>();
    for (Row row : rows.values()) {
      String group = row.leaf() + " " + row.alike() + " " + row.span().isEmpty();
      totals.merge(group, row.values(), BoundedSpansTest::sum);
    }
    return totals;
  }

  private static List<Long> sum(List<Long> one, List<Long> other) {
    Long[] sum = new Long[one.size()];
    Arrays.setAll(sum, i -> one.get(i) + other.get(i));
    return List.of(sum);
  }

  private static long withSpan(Map<String, Row> rows) {
    return rows.values().stream().filter(row -> !row.span().isEmpty()).count();
  }

  @Test
  void belowTheBoundNothingIsChanged() {
    Window window = window(BoundedSpans.SAMPLES_MIN + 4);
    ProfileRows rows = ProfileKind.OFFCPU.rows(window);
    Map<String, Row> before = read(rows);
    assertTrue(withSpan(before) > BoundedSpans.SAMPLES_MIN);
    assertSame(rows, BoundedSpans.of(rows, ProfileKind.OFFCPU, STACKS + 1, 1));
    assertEquals(before, read(rows));
  }

  @Test
  void samplesOfRunningThreadsAreNeverPutTogether() throws IOException {
    Window window = new Window(Window.Limits.STANDARD, Mapping.ofFile("/usr/lib/jvm/bin/java"));
    for (int i = 0; i < 3000; i++) {
      window.add(leaf(window, i % STACKS), window.labels(labels(0, span(i))), 10_000_000, i);
    }
    assertEquals(3000, encode(window, ProfileKind.CPU).samples().size());
  }

  @ParameterizedTest
  @EnumSource(names = {"OFFCPU", "WALL"})
  void whatAStackAndItsOtherLabelsAddUpToIsExact(ProfileKind kind) {
    Window window = window(3000);
    Map<String, Row> before = read(kind.rows(window));
    for (long seed = 0; seed < 50; seed++) {
      Map<String, Row> after = read(bounded(window, kind, seed));
      assertEquals(totals(before), totals(after));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"OFFCPU", "WALL"})
  void noMoreThanTheBoundHaveIdsAndThoseOfSpansThatWereThere(ProfileKind kind) {
    Window window = window(3000);
    Map<String, Row> before = read(kind.rows(window));
    BoundedSpans rows = bounded(window, kind, 5);
    Map<String, Row> after = read(rows);
    int groups = totals(before).size();
    long most = Math.max(groups, BoundedSpans.SAMPLES_MIN + (STACKS + 1) / 3 + groups / 5);
    assertTrue(withSpan(after) <= most, withSpan(after) + " above " + most);
    assertEquals(withSpan(before) - withSpan(after), rows.merged());
    assertTrue(before.keySet().containsAll(after.keySet()));
  }

  /** Where each is a group of its own there is nothing to put together, however many there are. */
  @Test
  void samplesThatAreNotAlikeStay() {
    Window window = new Window(Window.Limits.STANDARD, Mapping.ofFile("/usr/lib/jvm/bin/java"));
    for (int i = 0; i < 500; i++) {
      add(window, i, labels(0, span(i)), 1, 1_000_000 + i, 0);
    }
    Map<String, Row> before = read(ProfileKind.OFFCPU.rows(window));
    ProfileRows rows = ProfileKind.OFFCPU.rows(window);
    assertSame(rows, BoundedSpans.of(rows, ProfileKind.OFFCPU, STACKS, 1));
    assertEquals(before, read(rows));
  }

  @Test
  void longWaitsKeepTheirIdsAndTimes() {
    Window window = window(3000);
    BoundedSpans rows = bounded(window, ProfileKind.OFFCPU, 5);
    Map<String, Row> after = read(rows);
    assertTrue(rows.thresholdNanos() <= LONG_NANOS, rows.thresholdNanos() + " ns");
    int kept = 0;
    for (Map.Entry<String, Row> row : read(ProfileKind.OFFCPU.rows(window)).entrySet()) {
      if (row.getValue().nanos() >= rows.thresholdNanos()) {
        assertEquals(row.getValue(), after.get(row.getKey()));
        kept++;
      }
    }
    assertTrue(kept >= 10, "only " + kept);
  }

  @Test
  void eachSpanHasItsTimeOnTheAverage() {
    Window window = window(1000);
    Map<String, Row> before = read(ProfileKind.OFFCPU.rows(window));
    Map<String, Double> sums = new HashMap<>();
    int seeds = 2000;
    for (long seed = 0; seed < seeds; seed++) {
      read(bounded(window, ProfileKind.OFFCPU, seed))
          .forEach((key, row) -> sums.merge(key, (double) row.nanos(), Double::sum));
    }
    Set<String> far = new HashSet<>();
    double squares = 0;
    int drawn = 0;
    double threshold = bounded(window, ProfileKind.OFFCPU, 0).thresholdNanos();
    for (Map.Entry<String, Row> row : before.entrySet()) {
      double mean = sums.getOrDefault(row.getKey(), 0.0) / seeds;
      double time = row.getValue().nanos();
      // one of about `share` in value, with a chance of time / share
      double share = Math.max(time, threshold);
      double deviation = Math.sqrt(time * share / seeds) + 1;
      double off = (mean - time) / deviation;
      if (Math.abs(off) > 6) {
        far.add(row + " has " + mean);
      }
      if (time < share) {
        squares += off * off;
        drawn++;
      }
    }
    assertEquals(Set.of(), far);
    assertTrue(drawn > 500, "only " + drawn + " are drawn");
    assertTrue(squares / drawn < 1.5, "mean square of deviations " + squares / drawn);
  }

  @Test
  void theProfileSaysSo() throws IOException {
    ProfileData profile = encode(window(3000), ProfileKind.OFFCPU);
    BoundedSpans rows = bounded(window(3000), ProfileKind.OFFCPU, 1);
    assertTrue(
        profile.comments().contains("span_samples_merged=" + rows.merged()),
        profile.comments().toString());
    assertTrue(profile.comments().contains("span_exact_ns=" + rows.thresholdNanos()));
    assertEquals(
        RecordedWindow.read("offcpu").comments(),
        encode(window(40), ProfileKind.OFFCPU).comments());
  }

  /** As many spans as a service has that answers a thousand requests a second. */
  @ParameterizedTest
  @EnumSource(names = {"OFFCPU", "WALL"})
  void aProfileGrowsAtMostTwoAndAHalfTimes(ProfileKind kind) throws IOException {
    Window with = new Window(Window.Limits.STANDARD, Mapping.ofFile("/usr/lib/jvm/bin/java"));
    Window without = new Window(Window.Limits.STANDARD, Mapping.ofFile("/usr/lib/jvm/bin/java"));
    for (int i = 0; i < 4000; i++) {
      long nanos = 2_000_000 + i * 7919L % 300_000;
      int stack = i * 31 % 41;
      add(with, stack, labels(stack % THREADS, span(i)), 5, nanos, i * 13L % 90_000);
      add(without, stack, labels(stack % THREADS, ""), 5, nanos, i * 13L % 90_000);
    }
    long most = bytes(without, kind).length * 5L / 2;
    assertTrue(bytes(with, kind).length <= most, bytes(with, kind).length + " bytes, not " + most);
  }

  private static byte[] bytes(Window window, ProfileKind kind) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ProfileHeader header = RecordedWindow.header(10_000_000L);
    ProfileEncoder.encode(window, kind, header, out);
    return out.toByteArray();
  }

  private static ProfileData encode(Window window, ProfileKind kind) throws IOException {
    return ProfileData.read(bytes(window, kind));
  }
}
