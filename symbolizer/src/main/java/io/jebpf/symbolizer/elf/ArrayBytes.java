package io.jebpf.symbolizer.elf;

/** Bytes in an array (a decompressed {@code .gnu_debugdata}, a test). */
record ArrayBytes(byte[] array) implements Bytes {
  @Override
  public boolean read(long position, byte[] into, int offset, int length) {
    if (position < 0 || length < 0 || position > array.length - (long) length) {
      return false;
    }
    System.arraycopy(array, (int) position, into, offset, length);
    return true;
  }

  @Override
  public void close() {
    // Nothing is open.
  }
}
