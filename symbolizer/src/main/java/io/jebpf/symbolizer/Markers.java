package io.jebpf.symbolizer;

import java.util.List;

/**
 * Texts of {@code enum jebpf_end} in jebpf_types.h, by number: why a stack ends before its root,
 * and of the gaps in a stack.
 */
final class Markers {
  private static final int GAP_NATIVE = 64;
  private static final int GAP_FROZEN = 65;
  private static final int GAP_WAKER = 66;
  private static final int GAP_CUT = 67;

  private static final List<String> REASONS =
      List.of(
          "root",
          "too many frames",
          "bad return address",
          "no code blob",
          "no mapping",
          "no rule",
          "unreadable memory",
          "implausible interpreter frame",
          "deoptimisation in progress",
          "continuation not found",
          "no progress",
          "no user registers",
          "segment map too long",
          "interpreter entry not understood");

  private static final List<Resolution> FRAMES = REASONS.stream().map(Markers::frame).toList();

  private static final Resolution UNKNOWN = frame("reason not known to this version");

  /** Texts of {@code enum jebpf_gap}: the stack goes on behind them. */
  private static final Resolution NATIVE = gap("native frames without unwind information");

  private static final Resolution FROZEN = gap("frozen frames not read");
  private static final Resolution WAKER = gap("woken by");

  private Markers() {}

  /**
   * @param number of the end or gap
   * @param argument of a gap: how many frames
   */
  static Resolution of(long number, long argument) {
    return switch ((int) number) {
      case GAP_NATIVE -> NATIVE;
      case GAP_FROZEN -> FROZEN;
      case GAP_WAKER -> WAKER;
      case GAP_CUT -> gap("cut: " + argument + " frames");
      default -> number >= 0 && number < FRAMES.size() ? FRAMES.get((int) number) : UNKNOWN;
    };
  }

  private static Resolution gap(String what) {
    return Resolution.named(new Frame(FrameKind.MARKER, "[" + what + "]", "", 0, "", true));
  }

  private static Resolution frame(String reason) {
    return Resolution.named(
        new Frame(FrameKind.MARKER, "[unwind stopped: " + reason + "]", "", 0, "", true));
  }
}
