package io.jebpf.it.matrix.check;

import io.jebpf.it.pprof.Profile;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The stacks of waits of one run, of all threads, by the kernel's counts in the profiles' comments.
 *
 * @param all stacks
 * @param whole of these, from leaf to root, or cut by the depth limit alone
 * @param troubles the counts, and markers of broken stacks with the frames above, for people
 */
record WaitWalks(long all, long whole, String troubles) {
  private static final Pattern COUNT = Pattern.compile("wait_walks_(\\w+)=(\\d+)");

  /** Counts beside the one end that each walk has. */
  private static final Pattern NO_END = Pattern.compile("whole|gap_\\w+|read_fault_\\w+");

  /** Markers of what is no broken stack. */
  private static final Pattern HARMLESS =
      Pattern.compile("\\[(inside jebpf|not sampled|cut:.*|.*too many frames.*)\\]");

  private static final int CALLEES_SHOWN = 6;

  /**
   * @param jni the load calls a library that has no unwind information, or was loaded a moment ago:
   *     its gap counts as a native frame, as in samples
   */
  static WaitWalks of(List<Profile> profiles, boolean jni) {
    Map<String, Long> counts = new TreeMap<>();
    Map<String, Long> broken = new TreeMap<>();
    for (Profile profile : profiles) {
      for (String comment : profile.comments()) {
        Matcher count = COUNT.matcher(comment);
        if (count.matches()) {
          counts.merge(count.group(1), Long.parseLong(count.group(2)), Long::sum);
        }
      }
      for (Profile.Stack stack : profile.stacks()) {
        noteBroken(stack, jni, broken);
      }
    }
    long all =
        counts.entrySet().stream()
            .filter(count -> !NO_END.matcher(count.getKey()).matches())
            .mapToLong(Map.Entry::getValue)
            .sum();
    return new WaitWalks(all, whole(counts, jni), "waits " + counts + " broken " + broken);
  }

  /** Which of several gaps a stack has, the counts do not tell: where in doubt, it is broken. */
  private static long whole(Map<String, Long> counts, boolean jni) {
    long nativeGaps = counts.getOrDefault("gap_native", 0L);
    long frozenGaps = counts.getOrDefault("gap_frozen", 0L);
    long byDepth = counts.getOrDefault("depth", 0L);
    if (jni) {
      return Math.max(0, counts.getOrDefault("root", 0L) + byDepth - frozenGaps);
    }
    return counts.getOrDefault("whole", 0L) + Math.max(0, byDepth - nativeGaps - frozenGaps);
  }

  private static void noteBroken(Profile.Stack stack, boolean jni, Map<String, Long> broken) {
    List<Profile.Frame> frames = stack.frames();
    for (int i = 0; i < frames.size(); i++) {
      if (isBroken(frames.get(i), jni)) {
        List<Profile.Frame> above = frames.subList(Math.max(0, i - CALLEES_SHOWN), i);
        String where = above.reversed().stream().map(WaitWalks::show).toList().toString();
        broken.merge(
            stack.thread() + ": " + show(frames.get(i)) + " below " + where, 1L, Long::sum);
      }
    }
  }

  private static boolean isBroken(Profile.Frame frame, boolean jni) {
    return frame.module().equals("[jebpf]")
        && !HARMLESS.matcher(frame.function()).matches()
        && !(jni && frame.function().equals(ProfileStacks.NO_UNWIND_INFORMATION));
  }

  private static String show(Profile.Frame frame) {
    return frame.function() + (frame.address() == 0 ? "" : "@" + Long.toHexString(frame.address()));
  }
}
