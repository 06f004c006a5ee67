package io.jebpf.agent.pprof;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import io.jebpf.agent.window.Window.FrameClass;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProfileEncoderTest {
  private static final Mapping MAIN = Mapping.ofFile("/usr/lib/jvm/bin/java");
  private static final Mapping LIBJVM =
      new Mapping("/usr/lib/jvm/libjvm.so", 0x7f00, 0x8f00, 0x100, "abc123", Mapping.Kind.NATIVE);
  @TempDir private Path directory;

  private static void resolve(Window window, long head, long detail) {
    switch ((int) head) {
      case 1 ->
          window.define(LIBJVM, 0x7f00 + detail, "JavaThread::run()", "", 0, FrameClass.RESOLVED);
      case 2 -> {
        window.define(
            Mapping.JVM, 0, "java.util.Map.get", "java/util/Map.java", 7, FrameClass.RESOLVED);
        window.define(
            Mapping.JVM, 0, "app.Main.<init>", "app/Main.java", (int) detail, FrameClass.RESOLVED);
      }
      case 3 ->
          window.define(
              Mapping.KERNEL, 0xffffffff81000000L + detail, "do_sys", "", 0, FrameClass.RESOLVED);
      default ->
          window.define(Mapping.MARKERS, 0, "[unwind stopped: no rule]", "", 0, FrameClass.MARKER);
    }
  }

  private static Window window() {
    Window window = new Window(Window.Limits.STANDARD, MAIN);
    int main = thread(window, "main");
    for (int i = 0; i < 50; i++) {
      int node = window.push(Window.ROOT, 1, 5, ProfileEncoderTest::resolve);
      node = window.push(node, 2, 10 + i % 20, ProfileEncoderTest::resolve);
      node = i % 3 == 0 ? window.push(node, 3, i, ProfileEncoderTest::resolve) : node;
      window.add(
          node, i % 2 == 0 ? main : thread(window, "pool-1 \ud83d\ude00 \ud800"), 1_000_000, 0);
    }
    int cut = window.push(Window.ROOT, 4, 0, ProfileEncoderTest::resolve);
    window.add(cut, thread(window, ""), 5_000_000, 0);
    return window;
  }

  private static ProfileHeader header(Map<String, String> labels) {
    return new ProfileHeader(
        1_795_000_000_123_456_789L,
        10_000_000_000L,
        10_101_010L,
        new QualityComments().fact("service", "a\nb").sum("samples_taken", 51).list(),
        labels);
  }

  private static byte[] encode(Window window, ProfileHeader header) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ProfileEncoder.encode(window, ProfileKind.CPU, header, out);
    return out.toByteArray();
  }

  @Test
  void obeysEveryRuleOfTheContract() throws IOException {
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put("env", "prod");
    labels.put("zone", "ä");
    PprofRules read = new PprofRules(encode(window(), header(labels)));
    assertEquals(List.of(), read.broken);
    assertEquals(List.of("service=a b", "samples_taken=51"), read.comments);
    assertEquals(1_795_000_000_123_456_789L, read.timeNanos);
    assertEquals(10_000_000_000L, read.durationNanos);
    assertEquals(10_101_010L, read.period);
    assertEquals(51, read.samples.stream().mapToLong(sample -> sample.values().get(0)).sum());
    assertEquals(
        55_000_000, read.samples.stream().mapToLong(sample -> sample.values().get(1)).sum());
    assertEquals(
        List.of("java.util.Map.get", "app.Main.<init>", "JavaThread::run()"),
        read.samples.get(0).leafFirst());
    PprofRules.Sample first = read.samples.get(1); // callers before callees
    assertEquals(
        List.of("do_sys", "java.util.Map.get", "app.Main.<init>", "JavaThread::run()"),
        first.leafFirst());
    assertEquals(Map.of("thread", "main", "env", "prod", "zone", "ä"), first.labels());
    assertTrue(
        read.samples.stream()
            .anyMatch(sample -> "pool-1 \ud83d\ude00 ?".equals(sample.labels().get("thread"))));
    PprofRules.Sample last = read.samples.get(read.samples.size() - 1);
    assertEquals(List.of("[unwind stopped: no rule]"), last.leafFirst());
    assertEquals(Set.of("env", "zone"), last.labels().keySet());
  }

  @Test
  void mappingsBeginWithTheMainBinaryAndSayWhatIsKnown() throws IOException {
    PprofRules read = new PprofRules(encode(window(), header(Map.of())));
    assertEquals("/usr/lib/jvm/bin/java", read.mappingFiles.get(0));
    assertTrue(read.mappingFiles.containsAll(List.of("[jvm]", "[kernel.kallsyms]", "[jebpf]")));
    assertEquals(Set.of(7, 8, 9, 10), read.mappingFlags.get("[jvm]"));
    assertEquals(Set.of(7), read.mappingFlags.get("/usr/lib/jvm/libjvm.so"));
  }

  @Test
  void longStringsAreCutBetweenCharacters() throws IOException {
    Window window = new Window(Window.Limits.STANDARD, MAIN);
    int node =
        window.push(
            Window.ROOT,
            1,
            1,
            (w, head, detail) ->
                w.define(LIBJVM, 1, "x" + "ü".repeat(70_000), "", 0, FrameClass.RESOLVED));
    window.add(node, thread(window, "t"), 1, 0);
    PprofRules read = new PprofRules(encode(window, header(Map.of())));
    assertEquals(List.of(), read.broken);
    String name = read.samples.get(0).leafFirst().get(0);
    assertEquals(65_535, name.getBytes(StandardCharsets.UTF_8).length);
  }

  @Test
  void aHeaderWithoutDurationIsRefused() {
    IllegalArgumentException refusal =
        assertThrows(
            IllegalArgumentException.class, () -> new ProfileHeader(1, 0, 1, List.of(), Map.of()));
    assertEquals("start 1, duration 0, period 1", refusal.getMessage());
  }

  @Test
  void goReadsIt() throws Exception {
    assumeTrue(hasGo(), "skipped: 'go' is not installed, go tool pprof was not tried");
    Path file = directory.resolve("cpu.pb.gz");
    Files.write(file, encode(window(), header(Map.of("env", "prod"))));
    String raw = go(file, "-raw");
    assertTrue(raw.contains("samples/count cpu/nanoseconds[dflt]"), raw);
    assertTrue(raw.contains("thread:[main]"), raw);
    assertTrue(raw.contains("java.util.Map.get java/util/Map.java:7"), raw);
    assertTrue(raw.contains("/usr/lib/jvm/libjvm.so abc123 [FN]"), raw);
    assertTrue(raw.contains("[FN][FL][LN][IN]"), raw);
    String top = go(file, "-top", "-lines");
    assertTrue(top.contains("Duration: 10s, Total samples = 55ms"), top);
    assertTrue(top.contains("app.Main.<init> app/Main.java:10"), top);
    assertTrue(top.contains("JavaThread::run()"), top);
  }

  private static boolean hasGo() {
    try {
      return new ProcessBuilder("go", "version").start().waitFor() == 0;
    } catch (IOException | InterruptedException e) {
      return false;
    }
  }

  private String go(Path file, String... flags) throws Exception {
    List<String> command = new java.util.ArrayList<>(List.of("go", "tool", "pprof"));
    command.addAll(List.of(flags));
    command.add(file.toString());
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("HOME", directory.toString());
    builder.environment().put("PPROF_TMPDIR", directory.toString());
    Process process = builder.redirectErrorStream(true).start();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), text);
    return text;
  }

  @Test
  void summaryAddsUp() throws IOException {
    Path one = directory.resolve("one.pb.gz");
    Path two = directory.resolve("two.pb.gz");
    Files.write(one, encode(window(), header(Map.of())));
    Files.write(two, encode(window(), header(Map.of())));
    ProfileSummary summary = new ProfileSummary();
    summary.add(one);
    summary.add(two);
    String text = summary.text();
    assertTrue(text.startsWith("2 files, 102 samples, 0.110 s of CPU time in 20.0 s\n"), text);
    assertTrue(text.contains("service=a b\n"), text);
    assertTrue(text.contains("samples_taken=102\n"), text);
    String self = text.substring(text.indexOf("by self"), text.indexOf("by total"));
    String total = text.substring(text.indexOf("by total"));
    assertTrue(self.contains("  0.066 s  60.00%  java.util.Map.get"), self);
    assertTrue(self.contains("  0.034 s  30.91%  do_sys"), self);
    assertTrue(total.contains("  0.100 s  90.91%  app.Main.<init>"), total);
  }

  private static int thread(Window window, String name) {
    return window.labels(Labels.of(LabelKey.THREAD, name));
  }
}
