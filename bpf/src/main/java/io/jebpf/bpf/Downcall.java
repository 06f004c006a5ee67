package io.jebpf.bpf;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;

/**
 * Makes handles of native functions. Every argument and result is a 64-bit integer, pointers
 * included: that is right for the calling conventions of x86-64 and AArch64 as long as an {@code
 * int} result is narrowed by the caller, and it leaves the JVM one small set of shapes to generate
 * code for instead of one for each signature (which is most of what starting up FFM costs).
 */
@SuppressWarnings("restricted")
final class Downcall {
  private static final Linker LINKER = Linker.nativeLinker();

  private Downcall() {}

  static MethodHandle bind(long symbol, int arguments) {
    return LINKER.downcallHandle(MemorySegment.ofAddress(symbol), descriptor(arguments));
  }

  /** As {@link #bind}, with a segment for errno as first argument: see {@link #ERRNO_BYTES}. */
  static MethodHandle bindWithErrno(long symbol, int arguments) {
    return LINKER.downcallHandle(
        MemorySegment.ofAddress(symbol),
        descriptor(arguments),
        Linker.Option.captureCallState("errno"));
  }

  /**
   * Size of the segment that {@link #bindWithErrno} handles fill; errno is its only field, at 0.
   */
  static final long ERRNO_BYTES = Linker.Option.captureStateLayout().byteSize();

  /** A function of the C library. */
  static long libcSymbol(String name) {
    return SymbolHolder.LIBC.find(name).map(MemorySegment::address).orElse(0L);
  }

  private static FunctionDescriptor descriptor(int arguments) {
    MemoryLayout[] layouts = new MemoryLayout[arguments];
    Arrays.fill(layouts, JAVA_LONG);
    return FunctionDescriptor.of(JAVA_LONG, layouts);
  }

  /**
   * For the catch clause around {@code invokeExact}: no native function throws, so this is a bug of
   * ours.
   */
  static RuntimeException unexpected(Throwable thrown) {
    if (thrown instanceof RuntimeException runtime) {
      throw runtime;
    }
    if (thrown instanceof Error error) {
      throw error;
    }
    throw new AssertionError("a native call threw a checked exception", thrown);
  }

  private static final class SymbolHolder {
    static final SymbolLookup LIBC = LINKER.defaultLookup();
  }
}
