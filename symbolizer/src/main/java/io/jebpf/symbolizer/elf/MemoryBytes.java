package io.jebpf.symbolizer.elf;

import io.jebpf.symbolizer.ProcessMemory;

/** Bytes of a loaded image: position 0 is the address {@code base}. */
record MemoryBytes(ProcessMemory memory, long base) implements Bytes {
  @Override
  public boolean read(long position, byte[] into, int offset, int length) {
    return length == 0 || memory.read(base + position, into, offset, length);
  }

  @Override
  public void close() {
    // The memory is the caller's.
  }
}
