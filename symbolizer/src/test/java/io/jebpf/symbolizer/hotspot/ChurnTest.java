package io.jebpf.symbolizer.hotspot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.symbolizer.Frame;
import io.jebpf.symbolizer.Resolution;
import io.jebpf.symbolizer.Unresolved;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Code is freed and its place used again, classes are unloaded and their memory used again, all the
 * time. Compiled code that was named once is asked for again and again: it is named the same or
 * said to be gone. Methods are found again or said to be gone; that another method with the same
 * two addresses takes the place of the first is possible and counted here.
 */
class ChurnTest {
  private static final int ROUNDS = 40;
  private static final int PER_ROUND = 150;
  private static final int GONE_MIN = 100;
  private static final long DEADLINE_NANOS = 60_000_000_000L;

  private record Compiled(long address, int compileId, int offset) {}

  private record Interpreted(long method, long identity) {}

  @ParameterizedTest(name = "JDK {0} {1}")
  @CsvSource({
    "25,-XX:+UseParallelGC",
    "25,-XX:+UseG1GC",
    "17,-XX:+UseParallelGC",
    "21,-XX:+UseG1GC",
    "28,-XX:+UseG1GC"
  })
  void neverAnotherName(int release, String collector) throws Exception {
    Optional<Path> home = ChildJvm.jdk(release);
    Assumptions.assumeTrue(
        home.isPresent(),
        "no JDK " + release + " under /usr/lib/jvm, nor from build/fetch-jdks.sh");
    try (ChildJvm child =
            ChildJvm.start(
                "Churn",
                home.get(),
                0,
                collector,
                "-Xmx128m",
                "-XX:TieredStopAtLevel=1",
                "-XX:CompileThresholdScaling=0.1",
                "-XX:ReservedCodeCacheSize=10m");
        ProcMemory memory = new ProcMemory(child.pid())) {
      HotspotVm vm = Opened.vm(memory, new TestLibjvm(child.pid(), true));
      Map<Compiled, String> compiled = new HashMap<>();
      Map<Interpreted, String> interpreted = new HashMap<>();
      int[] gone = new int[3];
      long deadline = System.nanoTime() + DEADLINE_NANOS;
      int round = 0;
      while (round < ROUNDS || gone[0] < GONE_MIN && System.nanoTime() < deadline) {
        round++;
        HotspotFrames frames = vm.frames(); // as if nothing were cached
        int added = 0;
        List<CodeSample.Nmethod> present = CodeSample.of(vm, memory).compiled();
        Collections.shuffle(present);
        for (CodeSample.Nmethod nmethod : present) {
          if (added++ < PER_ROUND) {
            compiled.putIfAbsent(
                new Compiled(nmethod.address(), nmethod.compileId(), nmethod.codeBytes() / 2), "");
            interpreted.putIfAbsent(new Interpreted(nmethod.method(), nmethod.identity()), "");
          }
        }
        compiled.replaceAll(
            (key, known) ->
                compare(frames.compiled(key.address, key.compileId, key.offset), known, gone, 0));
        interpreted.replaceAll(
            (key, known) ->
                compare(frames.interpreted(key.method, key.identity, 0), known, gone, 1));
      }
      System.err.printf(
          "JDK %d %s: %d compiled and %d interpreted frames, asked for %d times; code gone %d"
              + " times, methods gone %d times and %d times another's%n",
          release,
          collector,
          compiled.size(),
          interpreted.size(),
          round,
          gone[0],
          gone[1],
          gone[2]);
      assertTrue(compiled.size() > 100, compiled.size() + " compiled");
      assertTrue(gone[0] >= GONE_MIN, "code was freed " + gone[0] + " times");
    }
  }

  private static String compare(Resolution found, String known, int[] gone, int index) {
    if (found.missing() != Unresolved.NOTHING) {
      gone[index]++;
      return known;
    }
    StringBuilder text = new StringBuilder();
    for (Frame frame : found.frames()) {
      text.append(frame.function()).append(':').append(frame.line()).append(' ');
    }
    if (!known.isEmpty() && !known.equals(text.toString())) {
      assertEquals(1, index, known + " became " + text);
      gone[2]++;
    }
    return text.toString();
  }
}
