package io.jebpf.symbolizer.hotspot;

/**
 * HotSpot's variable-length integers: little-endian digits of weight 64^i; a stored byte below 192
 * ends the number, as does the fifth byte. From JDK 20 on every byte is stored raised by one, so
 * that 0 is free as an end mark; up to 19 bytes stand for themselves.
 *
 * <p>A reader over {@code bytes[position..end)}; past the end it gives 0 and {@link #ok()} is
 * false.
 */
final class Unsigned5 {
  private static final int LAST_BELOW = 192;
  private static final int BYTES_MAX = 5;

  private final byte[] bytes;
  private final int end;
  private final int excess;
  private int position;
  private boolean ok = true;

  /** {@code zeroIsFree}: the encoding of JDK 20 and later. */
  Unsigned5(byte[] bytes, int start, int end, boolean zeroIsFree) {
    this.bytes = bytes;
    this.position = start;
    this.end = Math.min(end, bytes.length);
    this.excess = zeroIsFree ? 1 : 0;
  }

  int next() {
    int value = 0;
    for (int i = 0; i < BYTES_MAX; i++) {
      if (position >= end) {
        ok = false;
        return 0;
      }
      int raw = Bytes.u8(bytes, position++);
      int part = raw - excess;
      if (part < 0) {
        ok = false; // byte 0 never occurs inside a number
        return 0;
      }
      value += part << (6 * i);
      if (raw < LAST_BELOW) {
        break;
      }
    }
    return value;
  }

  /** A signed number: the sign is in bit 0. */
  int nextSigned() {
    int value = next();
    return (value >>> 1) ^ -(value & 1);
  }

  int nextByte() {
    if (position >= end) {
      ok = false;
      return 0;
    }
    return Bytes.u8(bytes, position++);
  }

  int position() {
    return position;
  }

  boolean ok() {
    return ok;
  }
}
