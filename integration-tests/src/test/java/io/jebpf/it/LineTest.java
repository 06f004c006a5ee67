package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.workload.LineLoad;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Lines and inlined frames of compiled code against Throwables that the same run took at the same
 * places. The tier suffixes tell which samples are of compiled code, and are tested with them.
 */
@Beside
@KernelTest
class LineTest {
  private static final double RIGHT_MIN = 0.99;
  private static final String LOAD = LineLoad.class.getName();

  @TempDir Path directory;

  static Stream<Arguments> compilers() {
    return Stream.of(
        Arguments.of("C2", List.of("-XX:-TieredCompilation"), "_\\[j]"),
        Arguments.of("C1", List.of("-XX:TieredStopAtLevel=1"), "_\\[1]"),
        Arguments.of("interpreted", List.of("-Xint"), "_\\[0]"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("compilers")
  void linesAreThoseOfAThrowable(String name, List<String> flags, String tier) throws Exception {
    Path log = directory.resolve("stacks");
    ChildResult result =
        ChildJvm.in(directory)
            .agent("cpu=999,budget=1000%,window=1h,offcpu=0,tiers=true")
            .jvm("-XX:+UnlockDiagnosticVMOptions", "-XX:+DebugNonSafepoints")
            .jvm(flags)
            .main(LineLoad.class, 5, log)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Map<String, String> truth = new HashMap<>(); // by the methods alone
    for (String line : Files.readAllLines(log)) {
      truth.put(line.replaceAll(":\\d+", ""), line);
    }
    assertEquals(64, truth.size(), "ways");

    long right = 0;
    long inlined = 0;
    Map<String, Long> wrong = new TreeMap<>();
    for (Profile profile : result.profiles()) {
      int count = profile.valueIndex("samples/count");
      for (Profile.Stack stack : profile.stacks()) {
        if (!isOfTier(stack, tier)) {
          continue;
        }
        String seen = seen(stack);
        String expected = truth.get(seen.replaceAll(":\\d+", ""));
        if (seen.equals(expected)) {
          right += stack.values()[count];
          inlined += contains(stack, "_[i]") ? stack.values()[count] : 0;
        } else {
          wrong.merge(seen + " instead of " + expected, stack.values()[count], Long::sum);
        }
      }
    }
    long bad = wrong.values().stream().mapToLong(Long::longValue).sum();
    String told = right + " right, of these with inlined frames " + inlined + ", wrong: " + wrong;
    assertTrue(right > 500, told);
    assertTrue(bad <= (1 - RIGHT_MIN) * (right + bad), told);
    assertTrue(name.equals("interpreted") ? inlined == 0 : inlined > right / 2, told);
  }

  /**
   * A sample at the tip whose outermost frame of the load, or of what it was inlined into, is of
   * the tier.
   */
  private static boolean isOfTier(Profile.Stack stack, String tier) {
    boolean atTip = false;
    String last = "";
    for (Profile.Frame frame : stack.frames()) {
      String function = frame.function();
      atTip |= function.startsWith(LOAD + ".tip");
      if (function.startsWith(LOAD) && !function.startsWith(LOAD + ".main")) {
        last = function.endsWith("_[i]") ? last : function;
      }
    }
    return atTip && last.matches(".*" + tier);
  }

  /** Methods and lines from the tip's caller to main's callee. */
  private static String seen(Profile.Stack stack) {
    StringBuilder text = new StringBuilder();
    boolean behindTip = false;
    for (Profile.Frame frame : stack.frames()) {
      String function = frame.function().replaceAll("_\\[[01ij]]$", "");
      if (behindTip && function.startsWith(LOAD) && !function.equals(LOAD + ".main")) {
        text.append(function).append(':').append(frame.line()).append(' ');
      }
      behindTip |= function.equals(LOAD + ".tip");
    }
    return text.toString().trim();
  }

  private static boolean contains(Profile.Stack stack, String suffix) {
    return stack.frames().stream().anyMatch(frame -> frame.function().endsWith(suffix));
  }
}
