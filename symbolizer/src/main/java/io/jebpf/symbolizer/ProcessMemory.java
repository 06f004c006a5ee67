package io.jebpf.symbolizer;

/** Memory of the observed process. A wrong address is an answer, never a crash. */
public interface ProcessMemory {
  /** Reads {@code length} bytes at {@code address}: all of them (true) or nothing (false). */
  boolean read(long address, byte[] into, int offset, int length);
}
