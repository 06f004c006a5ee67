package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.pprof.Picture;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.workload.GraphLoad;
import io.jebpf.it.workload.ShareLoad;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The profile against what is known to be true: shares, sums, calls. */
@KernelTest
class TruthTest {
  private static final int[] SHARES = {60, 25, 10, 5};
  private static final double RAW_DEVIATIONS = 3;
  private static final double TOLERANCE_POINTS = 1.5;
  private static final String SHARE_LOAD = ShareLoad.class.getName();
  private static final String AGENT = "cpu=999,budget=100%,window=3s";

  @TempDir Path directory;

  static Stream<Arguments> forms() {
    return Stream.of(
        Arguments.of(
            "plain",
            "burn",
            List.of("-XX:CompileCommand=quiet", "-XX:CompileCommand=dontinline,*ShareLoad.burn*")),
        Arguments.of("plain", "burn", List.of("-Xint")),
        Arguments.of(
            "inlined",
            "inline",
            List.of(
                "-XX:CompileCommand=quiet",
                "-XX:CompileCommand=inline,*ShareLoad.inline*",
                "-XX:CompileCommand=inline,*ShareLoad.step")));
  }

  @ParameterizedTest(name = "{0} {2}")
  @MethodSource("forms")
  void sharesOfMethodsAreTrue(String form, String prefix, List<String> flags) throws Exception {
    Path log = directory.resolve("cpu.log");
    ChildResult result =
        ChildJvm.in(directory)
            .agent(AGENT)
            .jvm(flags)
            .main(ShareLoad.class, form, 2, 6, log)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Profiles.assertRules(result);
    Profiles.assertNothingLost(result);

    Picture picture = result.picture();
    Picture app = picture.where(stack -> shareOf(stack, prefix) > 0);
    assertTrue(
        app.samples() >= 10_000,
        () -> app.samples() + " samples in the four methods\n" + picture.troubles());
    long trueSum = 0;
    for (int share : SHARES) {
      trueSum += result.value("true" + share);
    }
    for (int share : SHARES) {
      double truth = 100.0 * result.value("true" + share) / trueSum;
      double seen = 100.0 * app.share(stack -> shareOf(stack, prefix) == share);
      assertEquals(truth, seen, TOLERANCE_POINTS, "percent in " + prefix + share);
    }
    assertSumIsProcessTime(result, log);
  }

  /** The share method of a stack: 60, 25, 10 or 5; 0 when it has none. */
  private static int shareOf(Profile.Stack stack, String prefix) {
    for (Profile.Frame frame : stack.frames()) {
      for (int share : SHARES) {
        if (frame.function().equals(SHARE_LOAD + "." + prefix + share)) {
          return share;
        }
      }
    }
    return 0;
  }

  /** The nanoseconds of all whole windows against utime + stime of the process in the same time. */
  private static void assertSumIsProcessTime(ChildResult result, Path log) throws Exception {
    TreeMap<Long, Long> cpuByWall = new TreeMap<>();
    for (String line : Files.readAllLines(log)) {
      String[] fields = line.split(" ");
      cpuByWall.put(Long.parseLong(fields[0]), Long.parseLong(fields[1]));
    }
    List<Profile> covered = new ArrayList<>();
    double exact = 0;
    for (Profile profile : result.profiles()) {
      long start = profile.timeNanos();
      long end = start + profile.durationNanos();
      if (start >= cpuByWall.firstKey() && end <= cpuByWall.lastKey()) {
        covered.add(profile);
        exact += interpolate(cpuByWall, end) - interpolate(cpuByWall, start);
      }
    }
    assertTrue(
        covered.size() >= 1 && exact > 4e9,
        "windows inside the log: " + covered.size() + ", CPU " + exact);
    assertEquals(
        1.0,
        Picture.of(covered).nanos() / exact,
        0.02,
        "sum of cpu nanoseconds / CPU time of the process");
    assertRawSum(covered, exact);
  }

  /**
   * What the samples say by themselves, before they are fitted to the kernel's figure. Each counts
   * for one period of its CPU's clock, so the error falls with the root of their number; on a
   * virtual machine that has to wait for its CPUs, clock events run together and some are missing.
   */
  private static void assertRawSum(List<Profile> covered, double exact) {
    double sampled = 0;
    for (Profile profile : covered) {
      sampled += Profiles.figure(profile, "cpu_sampled_ns");
    }
    double samples = Picture.of(covered).samples();
    System.err.printf(
        "CPU truth: sampled / accounted %.4f, %.0f samples, fitted sum apart%n",
        sampled / exact, samples);
    assertEquals(
        1.0,
        sampled / exact,
        0.02 + RAW_DEVIATIONS / Math.sqrt(samples),
        "sum of what the samples stand for, not fitted / CPU time of the process");
  }

  private static double interpolate(TreeMap<Long, Long> log, long at) {
    var before = log.floorEntry(at);
    var after = log.ceilingEntry(at);
    if (before.getKey().equals(after.getKey())) {
      return before.getValue();
    }
    double part = (double) (at - before.getKey()) / (after.getKey() - before.getKey());
    return before.getValue() + part * (after.getValue() - before.getValue());
  }

  static Stream<Arguments> compilers() {
    return Stream.of(
        Arguments.of("tiered", List.of()),
        Arguments.of("C1 only", List.of("-XX:TieredStopAtLevel=1")),
        Arguments.of("interpreted", List.of("-Xint")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("compilers")
  void everyCallIsOneThatHappens(String name, List<String> flags) throws Exception {
    Path notes = directory.resolve("calls");
    ChildResult result =
        ChildJvm.in(directory)
            .agent(AGENT)
            .jvm(flags)
            .main(GraphLoad.class, 4, notes)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Profiles.assertRules(result);

    Set<String> happens = new TreeSet<>();
    Files.readAllLines(notes).forEach(line -> happens.add(withoutClassNumber(line)));
    String application = GraphLoad.class.getName();
    Set<String> claimed = new TreeSet<>();
    Set<String> functions = new TreeSet<>();
    Picture picture = result.picture().where(stack -> stack.contains(application + ".round"));
    for (Picture.Weighted weighted : picture.stacks()) {
      List<Profile.Frame> frames = weighted.stack().frames();
      for (int i = 1; i < frames.size(); i++) {
        Profile.Frame caller = frames.get(i);
        Profile.Frame callee = frames.get(i - 1);
        functions.add(withoutClassNumber(callee.function()));
        if (isApplication(caller) && isApplication(callee)) {
          claimed.add(
              withoutClassNumber(
                  caller.function() + ":" + caller.line() + " " + callee.function()));
        }
      }
    }
    assertTrue(picture.samples() > 2_000, picture::troubles);
    Set<String> invented = new TreeSet<>(claimed);
    invented.removeAll(happens);
    // Calls that the trace does not have: main() calls from another line, leaf() calls work() only
    // when it does not trace, and two lines make a lambda that captures, through hidden frames.
    invented.removeIf(call -> call.matches(".*GraphLoad\\.main:\\d+ .*GraphLoad\\.rounds"));
    invented.removeIf(call -> call.matches(".*GraphLoad\\.leaf:\\d+ .*GraphLoad\\.work"));
    invented.removeIf(
        call -> call.matches(".*GraphLoad\\.(round:92|streamed:136) .*\\$\\$Lambda\\.<init>"));
    assertEquals(
        Set.of(),
        invented,
        () -> "calls that never happen; those that do:\n" + String.join("\n", happens));
    List<String> methods = List.of("even", "odd", "leaf", "work", "$Square.locked");
    if (!flags.isEmpty()) {
      // C2 moves loops and leaves part of them with a neighbour's debug information (async-profiler
      // shows the same); the other forms of code say exactly where they are.
      methods =
          List.of(
              "even",
              "odd",
              "leaf",
              "work",
              "$Square.locked",
              "thrown",
              "throwing",
              "compare",
              "referenced",
              "apply",
              "inner",
              "small",
              "smaller",
              "$Built.<init>");
    }
    for (String method : methods) {
      String function = application + (method.startsWith("$") ? "" : ".") + method;
      assertTrue(functions.contains(function), () -> method + " never seen: " + functions);
    }
  }

  private static boolean isApplication(Profile.Frame frame) {
    return frame.function().startsWith(GraphLoad.class.getName());
  }

  /** Hidden classes have an address in their name, written differently by different readers. */
  private static String withoutClassNumber(String text) {
    return text.replaceAll("\\$\\$Lambda[./+]?0x[0-9a-f]+", "\\$\\$Lambda").replace(":-1 ", ":0 ");
  }
}
