package io.jebpf.agent.window;

import java.nio.charset.StandardCharsets;

/** Reads what a {@link VarintWriter} wrote, in the same order. Owner: one thread. */
public final class VarintReader {
  private final byte[] bytes;
  private final int end;
  private int at;

  public VarintReader(byte[] bytes) {
    this(bytes, 0, bytes.length);
  }

  private VarintReader(byte[] bytes, int start, int end) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  public boolean hasMore() {
    return at < end;
  }

  public long number() {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = bytes[at++];
      value |= (next & 0x7fL) << shift;
      if (next >= 0) {
        return value;
      }
    }
  }

  /** A number that is known to fit. */
  public int count() {
    return Math.toIntExact(number());
  }

  public long signed() {
    long value = number();
    return value >>> 1 ^ -(value & 1);
  }

  public double real() {
    long bits = 0;
    for (int i = 0; i < Long.BYTES; i++) {
      bits |= (bytes[at++] & 0xffL) << 8 * i;
    }
    return Double.longBitsToDouble(bits);
  }

  public String text() {
    int length = count();
    at += length;
    return new String(bytes, at - length, length, StandardCharsets.UTF_8);
  }

  public void skipText() {
    int length = count(); // moves on
    at += length;
  }

  /** Where the next value begins. */
  public int position() {
    return at;
  }

  /** The text that begins at a position; reading goes on where it was. */
  public String textAt(int position) {
    int before = at;
    at = position;
    String text = text();
    at = before;
    return text;
  }

  /** A part of its own, which is skipped here. */
  public VarintReader nested() {
    int length = count();
    at += length;
    return new VarintReader(bytes, at - length, at);
  }
}
