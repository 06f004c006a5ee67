package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.pprof.Picture;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.workload.DeepLoad;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Stacks deeper than the option {@code depth}: both ends are kept, a marker has the rest. */
@Beside
@KernelTest
class DepthTest {
  private static final Pattern CUT = Pattern.compile("\\[cut: (\\d+) frames]");
  private static final String DOWN = DeepLoad.class.getName() + ".down";
  private static final String BOTTOM = DeepLoad.class.getName() + ".bottom";

  /** Frames of the thread above the recursion, and of what interrupts it below. */
  private static final int OTHER_FRAMES_MAX = 60;

  @TempDir Path directory;

  @ParameterizedTest(name = "{0} frames, depth {1}")
  @CsvSource({"2000,1024", "10000,1024", "2000,64"})
  void bothEndsOfADeepStackAreKept(int frames, int depth) {
    Picture deep = run(frames, depth);
    for (Picture.Weighted weighted : deep.stacks()) {
      Profile.Stack stack = weighted.stack();
      long cuts = stack.frames().stream().filter(f -> CUT.matcher(f.function()).matches()).count();
      assertEquals(1, cuts, () -> "one cut, and only one: " + ends(stack));
      assertTrue(Roots.isRoot(stack.root().function()), () -> "the root end: " + ends(stack));
      assertTrue(stack.contains(DOWN), () -> "the leaf end: " + ends(stack));
      int left = missing(stack);
      int whole = left + stack.frames().size() - 1;
      assertTrue(
          whole >= frames && whole <= frames + OTHER_FRAMES_MAX,
          () -> whole + " frames by the marker, " + frames + " there were: " + ends(stack));
    }
    assertTrue(deep.stacks().size() > 0, deep::troubles);
  }

  @Test
  void aStackWithinTheLimitIsWhole() {
    Picture deep = run(900, 1024);
    assertEquals(0.0, deep.share(Picture::hasMarker), deep::troubles);
    assertTrue(deep.share(stack -> Roots.isRoot(stack.root().function())) > 0.999, deep::troubles);
  }

  @Test
  void beyondWhatAWalkCanAffordTheLeafEndAndAMarkerAreLeft() {
    Picture deep = run(40_000, 1024);
    double marked =
        deep.share(stack -> stack.root().function().equals("[unwind stopped: too many frames]"));
    assertEquals(1.0, marked, deep::troubles);
  }

  private Picture run(int frames, int depth) {
    ChildResult result =
        ChildJvm.in(directory)
            .agent("cpu=199,budget=100%,offcpu=0,window=3s,depth=" + depth)
            .jvm(
                "-XX:CompileCommand=quiet",
                "-XX:CompileCommand=dontinline," + DOWN.replace(".down", "::down"))
            .main(DeepLoad.class, frames, 900)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    // On the way down the stack is not that deep yet.
    Picture deep =
        result.picture().where(stack -> stack.thread().equals("deep") && stack.contains(BOTTOM));
    assertTrue(deep.samples() > 50, () -> "samples: " + deep.samples());
    return deep;
  }

  private static int missing(Profile.Stack stack) {
    for (Profile.Frame frame : stack.frames()) {
      Matcher matcher = CUT.matcher(frame.function());
      if (matcher.matches()) {
        return Integer.parseInt(matcher.group(1));
      }
    }
    return 0;
  }

  private static String ends(Profile.Stack stack) {
    int size = stack.frames().size();
    return stack.frames().subList(0, Math.min(3, size))
        + " ... "
        + stack.frames().subList(Math.max(0, size - 5), size);
  }
}
