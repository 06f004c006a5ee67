package io.jebpf.agent.picture;

import io.jebpf.agent.pprof.ProfileData;
import one.convert.Frame;

/**
 * Kinds of frames, told apart by what pprof keeps of them: the mapping's name (see {@code
 * Mapping}), and, for profiles with the option {@code tiers} or of other profilers,
 * async-profiler's suffixes. The types and their colours are those of async-profiler's flame
 * graphs.
 */
final class FrameColour {
  /** Not a type of the library: its pages get a colour for it from {@link FlameGraphs}. */
  static final byte MARKER = 7;

  private static final String SUFFIX_START = "_[";

  /** {@code _[j]}: the length of every suffix. */
  private static final int SUFFIX_CHARS = 4;

  private FrameColour() {}

  static byte of(ProfileData.Frame frame) {
    if (hasSuffix(frame.function())) {
      return switch (frame.function().charAt(frame.function().length() - 2)) {
        case '0' -> Frame.TYPE_INTERPRETED;
        case 'i' -> Frame.TYPE_INLINED;
        case 'k' -> Frame.TYPE_KERNEL;
        case '1' -> Frame.TYPE_C1_COMPILED;
        default -> Frame.TYPE_JIT_COMPILED;
      };
    }
    return switch (frame.mapping()) {
      case "[jvm]" -> Frame.TYPE_JIT_COMPILED;
      case "[jvm inlined]" -> Frame.TYPE_INLINED;
      case "[jvm interpreted]" -> Frame.TYPE_INTERPRETED;
      case "[kernel.kallsyms]" -> Frame.TYPE_KERNEL;
      case "[jebpf]" -> MARKER;
      default -> frame.function().contains("::") ? Frame.TYPE_CPP : Frame.TYPE_NATIVE;
    };
  }

  /** The name without what {@link #of} has read from it. */
  static String name(ProfileData.Frame frame) {
    String name = frame.function();
    return hasSuffix(name) ? name.substring(0, name.length() - SUFFIX_CHARS) : name;
  }

  private static boolean hasSuffix(String name) {
    int start = name.length() - SUFFIX_CHARS;
    return start > 0
        && name.startsWith(SUFFIX_START, start)
        && name.endsWith("]")
        && "0i1jk".indexOf(name.charAt(start + 2)) >= 0;
  }
}
