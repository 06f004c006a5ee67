package io.jebpf.symbolizer;

import java.util.List;

/**
 * Texts of {@code enum jebpf_end} in jebpf_types.h, by number: why a stack ends before its root,
 * and of the gaps in a stack.
 */
final class Markers {
  private static final List<String> REASONS =
      List.of(
          "root",
          "depth limit",
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

  /** Texts of {@code enum jebpf_gap}, from GAPS_FIRST on: the stack goes on behind them. */
  private static final List<Resolution> GAPS =
      List.of(
          gap("native frames without unwind information"),
          gap("frozen frames not read"),
          gap("woken by"));

  private static final int GAPS_FIRST = 64;
  private static final Resolution UNKNOWN = frame("reason not known to this version");

  private Markers() {}

  static Resolution of(long end) {
    if (end >= GAPS_FIRST && end < GAPS_FIRST + GAPS.size()) {
      return GAPS.get((int) end - GAPS_FIRST);
    }
    return end >= 0 && end < FRAMES.size() ? FRAMES.get((int) end) : UNKNOWN;
  }

  private static Resolution gap(String what) {
    return Resolution.named(new Frame(FrameKind.MARKER, "[" + what + "]", "", 0, "", true));
  }

  private static Resolution frame(String reason) {
    return Resolution.named(
        new Frame(FrameKind.MARKER, "[unwind stopped: " + reason + "]", "", 0, "", true));
  }
}
