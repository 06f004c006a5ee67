package io.jebpf.bpf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * A few 64-bit words shared with native code. Lives as long as the process: native code may hold
 * its address while Java forgets it. Thread-safe.
 */
final class NativeWords {
  private static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();

  private final MemorySegment memory;

  private NativeWords(MemorySegment memory) {
    this.memory = memory;
  }

  /** Memory of what is gone is never given back: use it again where that is known. */
  static NativeWords allocate(int words) {
    return new NativeWords(Arena.global().allocate((long) words * Long.BYTES, Long.BYTES));
  }

  long address() {
    return memory.address();
  }

  /** Reads the word at an offset in bytes. */
  long get(long offset) {
    return (long) WORD.getAcquire(memory, offset);
  }

  void set(long offset, long value) {
    WORD.setRelease(memory, offset, value);
  }
}
