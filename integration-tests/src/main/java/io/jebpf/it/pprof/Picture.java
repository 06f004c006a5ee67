package io.jebpf.it.pprof;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** What a set of CPU profiles says in sum: the questions that the tests ask. */
public final class Picture {
  /** A stack that was cut short ends with a frame of this form. */
  private static final String MARKER = "[unwind stopped";

  private static final String MARKERS = "[jebpf]";

  private static final String UNKNOWN = "[unknown";

  /** A stack with its number of samples and its CPU time. */
  public record Weighted(Profile.Stack stack, long samples, long nanos) {}

  private final List<Weighted> stacks;

  private Picture(List<Weighted> stacks) {
    this.stacks = List.copyOf(stacks);
  }

  public static Picture of(List<Profile> profiles) {
    List<Weighted> all = new ArrayList<>();
    for (Profile profile : profiles) {
      int samples = profile.valueIndex("samples/count");
      int nanos = profile.valueIndex("cpu/nanoseconds");
      for (Profile.Stack stack : profile.stacks()) {
        all.add(new Weighted(stack, stack.values()[samples], stack.values()[nanos]));
      }
    }
    return new Picture(all);
  }

  public Picture where(Predicate<Profile.Stack> wanted) {
    return new Picture(stacks.stream().filter(s -> wanted.test(s.stack())).toList());
  }

  public List<Weighted> stacks() {
    return stacks;
  }

  public long samples() {
    return stacks.stream().mapToLong(Weighted::samples).sum();
  }

  public long nanos() {
    return stacks.stream().mapToLong(Weighted::nanos).sum();
  }

  /** Share of the samples, 0 to 1, of the stacks that match; 0 when there are none. */
  public double share(Predicate<Profile.Stack> wanted) {
    long all = samples();
    return all == 0 ? 0 : (double) where(wanted).samples() / all;
  }

  public static boolean cutShort(Profile.Stack stack) {
    return stack.frames().stream().anyMatch(frame -> frame.function().startsWith(MARKER));
  }

  /** Whether a part of the stack is missing, at its end or within. */
  public static boolean hasMarker(Profile.Stack stack) {
    return stack.frames().stream().anyMatch(frame -> frame.module().equals(MARKERS));
  }

  public static boolean named(Profile.Frame frame) {
    return !frame.function().startsWith(UNKNOWN) && !frame.function().startsWith("0x");
  }

  /** Share of samples that reached the root of their thread. */
  public double rootShare() {
    return share(stack -> !cutShort(stack));
  }

  /** Share of all frames, weighted by samples, that have a name. */
  public double namedShare() {
    long frames = 0;
    long named = 0;
    for (Weighted weighted : stacks) {
      for (Profile.Frame frame : weighted.stack().frames()) {
        frames += weighted.samples();
        named += named(frame) ? weighted.samples() : 0;
      }
    }
    return frames == 0 ? 0 : (double) named / frames;
  }

  /**
   * All pairs caller, callee of neighbouring frames for which the predicate holds on one of the
   * two.
   */
  public Set<Pair> pairs(Predicate<Profile.Frame> either) {
    Set<Pair> pairs = new HashSet<>();
    for (Weighted weighted : stacks) {
      List<Profile.Frame> frames = weighted.stack().frames();
      for (int i = 1; i < frames.size(); i++) {
        if (either.test(frames.get(i)) || either.test(frames.get(i - 1))) {
          pairs.add(new Pair(frames.get(i).function(), frames.get(i - 1).function()));
        }
      }
    }
    return pairs;
  }

  /** A call that the profile claims. */
  public record Pair(String caller, String callee) {}

  /** What is wrong with the picture, for the message of a failed assertion. */
  public String troubles() {
    StringBuilder text = new StringBuilder();
    text.append("samples ").append(samples()).append(", to the root ").append(rootShare());
    text.append(", frames named ").append(namedShare());
    text.append("\nroots: ").append(top(counts(stack -> List.of(stack.root().function())), 12));
    text.append("\nnot named: ")
        .append(
            top(
                counts(
                    stack ->
                        stack.frames().stream()
                            .filter(f -> !named(f))
                            .map(Profile.Frame::toString)
                            .toList()),
                20));
    int shown = 0;
    for (Weighted weighted : stacks) {
      if (cutShort(weighted.stack()) && shown++ < 5) {
        text.append("\ncut short, thread ").append(weighted.stack().thread()).append(": ");
        text.append(weighted.stack().frames());
      }
    }
    return text.toString();
  }

  /** Samples by the names that a stack gives; a name counts once per stack. */
  public Map<String, Long> counts(java.util.function.Function<Profile.Stack, List<String>> names) {
    Map<String, Long> counts = new HashMap<>();
    for (Weighted weighted : stacks) {
      for (String name : new HashSet<>(names.apply(weighted.stack()))) {
        counts.merge(name, weighted.samples(), Long::sum);
      }
    }
    return counts;
  }

  private static List<String> top(Map<String, Long> counts, int most) {
    return counts.entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder()))
        .limit(most)
        .map(entry -> entry.getValue() + " " + entry.getKey())
        .toList();
  }
}
