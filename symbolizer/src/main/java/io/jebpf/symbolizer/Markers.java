package io.jebpf.symbolizer;

import java.util.List;
import java.util.stream.Stream;

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

  private static final int UNREAD_SHIFT = 56;

  /** Texts of {@code enum jebpf_unread}, from 1 on: what could not be read. */
  private static final List<Resolution> UNREAD =
      Stream.of("stack", "code cache", "mapped file", "data of the JVM")
          .map(what -> frame(REASONS.get(RawFrame.READ_FAULT) + ": " + what))
          .toList();

  private static final List<Resolution> FRAMES = REASONS.stream().map(Markers::frame).toList();

  private static final Resolution UNKNOWN = frame("reason not known to this version");

  /** Texts of {@code enum jebpf_gap}: the stack goes on behind them. */
  private static final Resolution NATIVE = gap("native frames without unwind information");

  private static final Resolution FROZEN = gap("frozen frames not read");
  private static final Resolution WAKER = gap("woken by");

  private Markers() {}

  /**
   * @param number of the end or gap
   * @param argument of a gap: how many frames; of what could not be read: what, and its address
   */
  static Resolution of(long number, long argument) {
    return switch ((int) number) {
      case GAP_NATIVE -> NATIVE;
      case GAP_FROZEN -> FROZEN;
      case GAP_WAKER -> WAKER;
      case GAP_CUT -> gap("cut: " + argument + " frames");
      case RawFrame.READ_FAULT -> unread((int) (argument >>> UNREAD_SHIFT));
      default -> number >= 0 && number < FRAMES.size() ? FRAMES.get((int) number) : UNKNOWN;
    };
  }

  private static Resolution unread(int what) {
    return what >= 1 && what <= UNREAD.size()
        ? UNREAD.get(what - 1)
        : FRAMES.get(RawFrame.READ_FAULT);
  }

  private static Resolution gap(String what) {
    return Resolution.named(new Frame(FrameKind.MARKER, "[" + what + "]", "", 0, "", true));
  }

  private static Resolution frame(String reason) {
    return Resolution.named(
        new Frame(FrameKind.MARKER, "[unwind stopped: " + reason + "]", "", 0, "", true));
  }
}
