package io.jebpf.symbolizer;

/** What a symbolised frame is. */
public enum FrameKind {
  /** Java method with its own compiled code, of the second compiler as a rule. */
  COMPILED("_[j]"),
  /** Java method with its own code of the first compiler, C1. */
  COMPILED_C1("_[1]"),
  /** Java method inlined into the compiled code of its caller. */
  INLINED("_[i]"),
  /** Java method run by the interpreter. */
  INTERPRETED("_[0]"),
  /** Java method declared {@code native}: its wrapper, compiled or interpreted. */
  NATIVE_METHOD(""),
  /** Code the JVM generated for itself: stubs, adapters, the interpreter without a Java frame. */
  STUB(""),
  /** Machine code of a mapped file. */
  NATIVE(""),
  /** Kernel code. */
  KERNEL("_[k]"),
  /** Not code: says why a stack ends early. */
  MARKER("");

  private final String tier;

  FrameKind(String tier) {
    this.tier = tier;
  }

  /** What a name ends in where the tier is shown, in async-profiler's notation; may be empty. */
  public String tier() {
    return tier;
  }
}
