package io.jebpf.symbolizer.elf;

/**
 * Bytes that may shrink, change or vanish at any time: a file, process memory, an array.
 *
 * <p>Files are read with {@code pread}-like calls and never mapped: a mapped file that somebody
 * truncates would end the host JVM with SIGBUS.
 */
interface Bytes extends AutoCloseable {
  /** Reads {@code length} bytes at {@code position}: all of them (true) or nothing usable. */
  boolean read(long position, byte[] into, int offset, int length);

  /** Closes what is open; the next {@link #read} opens again where that is possible. */
  @Override
  void close();
}
