package io.jebpf.symbolizer;

import java.util.List;

/**
 * Texts of {@code enum jebpf_end} in jebpf_types.h, by number: why a stack ends before its root.
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
  private static final Resolution UNKNOWN = frame("reason not known to this version");

  private Markers() {}

  static Resolution of(long end) {
    return end >= 0 && end < FRAMES.size() ? FRAMES.get((int) end) : UNKNOWN;
  }

  private static Resolution frame(String reason) {
    return Resolution.named(
        new Frame(FrameKind.MARKER, "[unwind stopped: " + reason + "]", "", 0, "", true));
  }
}
