package io.jebpf.it.context;

import io.jebpf.it.pprof.Profile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The profiles of {@link SpanLoad} against what their stacks say.
 *
 * @param samples all of them
 * @param inside those taken under a span
 * @param carried those of them that carry that span
 * @param bare those of them that carry none
 * @param mounting samples with a span and no frame that says which: of virtual threads that come
 *     from the heap or go there, cut stacks, and such with a frame that could not be read
 * @param wrong samples that carry a span which is not theirs
 * @param examples of bare and wrong ones
 */
public record SpanTruth(
    long samples,
    long inside,
    long carried,
    long bare,
    long mounting,
    long wrong,
    List<String> examples) {
  private static final String LOAD = SpanLoad.class.getName() + ".";
  private static final String STORAGE = "io.opentelemetry.context.ThreadLocalContextStorage";
  private static final int EXAMPLES_MAX = 8;

  /** Parks beyond the first thousand of a window: no thread and no span of their own, by design. */
  private static final String SHARED_ROW = "[other virtual threads]";

  /**
   * A virtual thread ends in the first, its carrier in the second, one that is mounted in the
   * third.
   */
  private static final String MOUNTING =
      "jdk\\.internal\\.vm\\.Continuation\\..*|java\\.lang\\.VirtualThread\\.runContinuation"
          + "|StubRoutines::cont_thaw|\\[frozen frames not read\\]";

  /** A frame that the JVM was about to replace: it may be any method. */
  private static final String UNREADABLE = "[unknown: method is unreadable]";

  /** Root of a stack whose other frames are in the heap, or on their way. */
  private static final String NOT_READ = "[frozen frames not read]";

  public static SpanTruth of(List<Profile> profiles) {
    long samples = 0;
    long inside = 0;
    long carried = 0;
    long bare = 0;
    long wrong = 0;
    long mounting = 0;
    List<String> examples = new ArrayList<>();
    for (Profile profile : profiles) {
      for (Profile.Stack stack : profile.stacks()) {
        if (stack.labels().getOrDefault("vthread", "").equals(SHARED_ROW)) {
          continue;
        }
        long count = Math.max(1, stack.values()[0]);
        samples += count;
        String span = stack.labels().getOrDefault("span_id", "");
        Digits digits = digits(stack);
        boolean good = true;
        if (digits != null) {
          inside += count;
          good = !span.isEmpty() && fits(digits, span);
          carried += good ? count : 0;
          bare += span.isEmpty() ? count : 0;
        } else if (!span.isEmpty() && !isChanging(stack)) {
          good = isMounting(stack);
          mounting += good ? count : 0;
        }
        wrong += good || span.isEmpty() ? 0 : count;
        if (!good && examples.size() < EXAMPLES_MAX) {
          examples.add("\n  " + span + " " + digits + " " + stack.labels() + " " + stack.frames());
        }
      }
    }
    return new SpanTruth(samples, inside, carried, bare, mounting, wrong, examples);
  }

  /** Begins or ends a scope: then the span may be the one or the other. */
  private static boolean isChanging(Profile.Stack stack) {
    return stack.contains(LOAD + "under")
        || stack.frames().stream().anyMatch(frame -> frame.function().startsWith(STORAGE));
  }

  /**
   * What a stack says.
   *
   * @param lowestFirst digits
   * @param sure whether the last one is: something was called from there. HotSpot makes one piece
   *     of code of the ends of all branches of a switch that are alike, and its debug information
   *     then names any of them, so a leaf in there may be in the branch of another digit.
   */
  private record Digits(List<String> lowestFirst, boolean sure) {}

  /** Digits above the innermost call of {@code inside}; null when there is none. */
  private static Digits digits(Profile.Stack stack) {
    List<String> leafFirst = new ArrayList<>();
    boolean sure = false;
    for (Profile.Frame frame : stack.frames()) {
      String name = frame.function();
      if (name.equals(LOAD + "inside")) {
        return new Digits(leafFirst.reversed(), sure);
      }
      sure |= leafFirst.isEmpty() && isWork(name);
      if (name.equals(LOAD + "under")) {
        return null; // begins or ends another one
      }
      if (name.startsWith(LOAD + "d") && name.length() == LOAD.length() + 2) {
        leafFirst.add(name.substring(LOAD.length() + 1));
      }
    }
    return null;
  }

  /** What the digits call: {@code lambda$…} and what that calls. */
  private static boolean isWork(String name) {
    return name.startsWith(LOAD + "lambda$") || name.equals(LOAD + "burn");
  }

  /** The frames of a virtual thread are still, or again, in the heap; or the stack was cut. */
  private static boolean isMounting(Profile.Stack stack) {
    String root = stack.root().function();
    if (root.startsWith("[unwind stopped") || root.equals(NOT_READ)) {
      return !stack.contains(LOAD + "rest"); // which is outside of every span
    }
    if (stack.frames().stream().anyMatch(frame -> frame.function().startsWith(UNREADABLE))) {
      return !stack.contains(LOAD + "rest");
    }
    return stack.frames().stream().noneMatch(frame -> frame.function().startsWith(LOAD))
        && stack.frames().stream().anyMatch(frame -> frame.function().matches(MOUNTING));
  }

  /** Whether a span has the number that the digits say. A number is whole with all its digits. */
  private static boolean fits(Digits said, String span) {
    List<String> digits = said.lowestFirst();
    long number = Long.parseUnsignedLong(span, 16) - SpanLoad.FIRST_SPAN;
    boolean whole = digits.size() == SpanLoad.DIGITS && said.sure();
    for (String digit : whole ? digits : digits.subList(0, Math.max(0, digits.size() - 1))) {
      if (Integer.parseInt(digit, 16) != (number & 15)) {
        return false;
      }
      number >>>= 4;
    }
    return !whole || number == 0;
  }

  /** Prints the truth about the profiles in a directory; ends with 1 when it is not good enough. */
  public static void main(String[] arguments) throws Exception {
    boolean good = true;
    for (String kind : List.of("cpu", "offcpu")) {
      try (Stream<Path> files = Files.list(Path.of(arguments[0]))) {
        List<Profile> profiles =
            files
                .filter(file -> file.getFileName().toString().startsWith(kind + "-"))
                .map(Profile::read)
                .toList();
        SpanTruth truth = of(profiles);
        System.out.printf(
            "%-7s samples %d, inside a span %d, carry it %d (%.4f %%), carry none %d, mounting %d,"
                + " wrong %d%n",
            kind,
            truth.samples,
            truth.inside,
            truth.carried,
            100.0 * truth.carried / Math.max(1, truth.inside),
            truth.bare,
            truth.mounting,
            truth.wrong);
        truth.examples.forEach(System.out::println);
        good &= truth.inside > 0 && truth.wrong == 0 && truth.carried >= 0.999 * truth.inside;
      }
    }
    System.exit(good ? 0 : 1);
  }
}
