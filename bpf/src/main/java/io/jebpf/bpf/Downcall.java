package io.jebpf.bpf;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Calls native functions, all through one method handle: six 64-bit integers and pointers in, one
 * out. A function that takes fewer ignores the rest (both conventions, of x86-64 and of AArch64,
 * pass six in registers that the callee need not preserve), an {@code int} result is narrowed by
 * the caller, and a variadic function is not called this way. One shape in place of one for each
 * signature, and one handle in place of one for each function, is what keeps FFM's start-up small:
 * it was measured at 4.5 ms and 400 KB for each further shape, and 0.4 ms for each further handle.
 */
@SuppressWarnings("restricted")
final class Downcall {
  private static final Linker LINKER = Linker.nativeLinker();

  private static final MethodHandle CALL =
      LINKER.downcallHandle(
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));

  private Downcall() {}

  /** A function by its address, which must not be 0. */
  static MemorySegment function(long address) {
    return MemorySegment.ofAddress(address);
  }

  /** A function of the C library. */
  static MemorySegment libc(String name) {
    return libcOptional(name)
        .orElseThrow(() -> new UnsatisfiedLinkError("the C library has no function " + name));
  }

  static Optional<MemorySegment> libcOptional(String name) {
    return LINKER.defaultLookup().find(name);
  }

  static long call(MemorySegment function) {
    return call(function, 0, 0, 0, 0, 0, 0);
  }

  static long call(MemorySegment function, long a) {
    return call(function, a, 0, 0, 0, 0, 0);
  }

  static long call(MemorySegment function, long a, long b) {
    return call(function, a, b, 0, 0, 0, 0);
  }

  static long call(MemorySegment function, long a, long b, long c) {
    return call(function, a, b, c, 0, 0, 0);
  }

  static long call(MemorySegment function, long a, long b, long c, long d) {
    return call(function, a, b, c, d, 0, 0);
  }

  static long call(MemorySegment function, long a, long b, long c, long d, long e, long f) {
    try {
      return (long) CALL.invokeExact(function, a, b, c, d, e, f);
    } catch (RuntimeException | Error thrown) {
      throw thrown;
    } catch (Throwable thrown) {
      throw new AssertionError("a native call threw a checked exception", thrown);
    }
  }
}
