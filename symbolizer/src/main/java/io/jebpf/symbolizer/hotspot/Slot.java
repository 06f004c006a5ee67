package io.jebpf.symbolizer.hotspot;

/**
 * Where a field sits in its structure and how wide it is. {@link #ABSENT} stands for a field this
 * JVM does not have; reading it is a programmer error, so callers ask {@link #present()} first.
 */
record Slot(int offset, int bytes, boolean signed) {
  static final Slot ABSENT = new Slot(-1, 0, false);

  boolean present() {
    return offset >= 0;
  }

  /** The same field seen from {@code base} bytes before its structure, for embedded structures. */
  Slot shifted(int base) {
    return present() ? new Slot(base + offset, bytes, signed) : ABSENT;
  }

  static Slot pointer(int offset) {
    return new Slot(offset, 8, false);
  }

  static Slot i32(int offset) {
    return new Slot(offset, 4, true);
  }
}
