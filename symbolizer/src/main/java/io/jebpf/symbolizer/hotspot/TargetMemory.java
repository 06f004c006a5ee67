package io.jebpf.symbolizer.hotspot;

import io.jebpf.symbolizer.ProcessMemory;

/**
 * Typed reads of the target's memory with a sticky failure: a failed read gives 0 and clears {@link
 * #ok()} until the next {@link #begin()}, so that a chain of reads is judged once, at its end.
 *
 * <p>Owner: one thread at a time. Each read is one call into {@link ProcessMemory}.
 */
final class TargetMemory {
  /** Nothing is mapped below (vm.mmap_min_addr) or above (47-bit user space of x86-64). */
  private static final long LOWEST = 4096;

  private static final long HIGHEST = 1L << 47;

  private final ProcessMemory memory;
  private final byte[] word = new byte[8];
  private boolean ok = true;

  TargetMemory(ProcessMemory memory) {
    this.memory = memory;
  }

  /** Starts a chain of reads. */
  void begin() {
    ok = true;
  }

  /** True when no read has failed since {@link #begin()}. */
  boolean ok() {
    return ok;
  }

  /** Marks the chain as failed: a value that was read makes no sense. */
  void fail() {
    ok = false;
  }

  boolean bytes(long address, byte[] into, int offset, int length) {
    if (!plausible(address)
        || length < 0
        || length > into.length - offset
        || !memory.read(address, into, offset, length)) {
      ok = false;
      return false;
    }
    return true;
  }

  static boolean plausible(long address) {
    return address >= LOWEST && address < HIGHEST;
  }

  int u8(long address) {
    return bytes(address, word, 0, 1) ? Bytes.u8(word, 0) : 0;
  }

  int u16(long address) {
    return bytes(address, word, 0, 2) ? Bytes.i16(word, 0) & 0xffff : 0;
  }

  int i32(long address) {
    return bytes(address, word, 0, 4) ? Bytes.i32(word, 0) : 0;
  }

  long i64(long address) {
    return bytes(address, word, 0, 8) ? Bytes.i64(word, 0) : 0;
  }

  long pointer(long address) {
    return i64(address);
  }

  /**
   * The field at {@code base + slot.offset()}; absent fields and unreadable memory fail the chain.
   */
  long value(long base, Slot slot) {
    if (!slot.present()) {
      ok = false;
      return 0;
    }
    return bytes(base + slot.offset(), word, 0, slot.bytes())
        ? Bytes.value(word, -slot.offset(), slot)
        : 0;
  }
}
