package io.jebpf.symbolizer;

import java.util.List;

/**
 * What one raw frame stands for: its frames, leaf (innermost inlined callee) first, never empty;
 * and what is missing, {@link Unresolved#NOTHING} when all have names.
 */
public record Resolution(List<Frame> frames, Unresolved missing) {
  public Resolution {
    frames = List.copyOf(frames);
    if (frames.isEmpty()) {
      throw new IllegalArgumentException("a raw frame stands for at least one frame");
    }
  }

  public static Resolution named(Frame frame) {
    return new Resolution(List.of(frame), Unresolved.NOTHING);
  }

  public static Resolution unresolved(
      FrameKind kind, String why, String module, Unresolved missing) {
    return new Resolution(List.of(Frame.unknown(kind, why, module)), missing);
  }
}
