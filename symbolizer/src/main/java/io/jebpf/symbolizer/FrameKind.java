package io.jebpf.symbolizer;

/** What a symbolised frame is. */
public enum FrameKind {
  /** Java method with its own compiled code. */
  COMPILED,
  /** Java method inlined into the compiled code of its caller. */
  INLINED,
  /** Java method run by the interpreter. */
  INTERPRETED,
  /** Java method declared {@code native}: its wrapper, compiled or interpreted. */
  NATIVE_METHOD,
  /** Code the JVM generated for itself: stubs, adapters, the interpreter without a Java frame. */
  STUB,
  /** Machine code of a mapped file. */
  NATIVE,
  /** Kernel code. */
  KERNEL,
  /** Not code: says why a stack ends early. */
  MARKER
}
