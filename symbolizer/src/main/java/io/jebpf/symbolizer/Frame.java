package io.jebpf.symbolizer;

import java.util.Objects;

/**
 * One named frame. {@code file} and {@code module} are empty and {@code line} is 0 when unknown; an
 * unresolved frame still has a function text, {@code [unknown: why]}.
 */
public record Frame(
    FrameKind kind, String function, String file, int line, String module, boolean resolved) {
  private static final String INVOKE = "java.lang.invoke.";

  public Frame {
    Objects.requireNonNull(kind);
    Objects.requireNonNull(function);
    Objects.requireNonNull(file);
    Objects.requireNonNull(module);
    if (function.isEmpty() || line < 0) {
      throw new IllegalArgumentException("function '" + function + "', line " + line);
    }
  }

  /**
   * Whether Java's own stack traces leave the frame out: code that links a method handle's caller
   * to its target, generated at run time ({@code LambdaForm$MH}) or with the JDK ({@code $Holder}).
   */
  public boolean hidden() {
    return function.startsWith(INVOKE)
        && (function.startsWith("LambdaForm$", INVOKE.length())
            || function.indexOf("$Holder.", INVOKE.length()) > 0);
  }

  /** A frame whose name could not be found, because of {@code why}. */
  public static Frame unknown(FrameKind kind, String why, String module) {
    return new Frame(kind, "[unknown: " + why + "]", "", 0, module, false);
  }
}
