package io.jebpf.agent.window;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Numbers of variable length, one after the other, in an array that grows. Owner: one thread. */
public final class VarintWriter {
  private static final int NUMBER_BYTES_MAX = 10;

  private final int capacityFirst;
  private byte[] bytes;
  private int size;

  public VarintWriter(int capacityFirst) {
    this.capacityFirst = capacityFirst;
    this.bytes = new byte[capacityFirst];
  }

  public int size() {
    return size;
  }

  /** An unsigned number; a negative one takes ten bytes. */
  public void number(long value) {
    reserve(NUMBER_BYTES_MAX);
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      bytes[size++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[size++] = (byte) rest;
  }

  /** A signed number: small ones of either sign are short. */
  public void signed(long value) {
    number(value << 1 ^ value >> 63);
  }

  public void real(double value) {
    reserve(Long.BYTES);
    long bits = Double.doubleToRawLongBits(value);
    for (int i = 0; i < Long.BYTES; i++) {
      bytes[size++] = (byte) (bits >>> 8 * i);
    }
  }

  public void text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    number(utf8.length);
    bytes(utf8, utf8.length);
  }

  /** What another writer holds, preceded by its length. */
  public void nested(VarintWriter other) {
    number(other.size);
    bytes(other.bytes, other.size);
  }

  private void bytes(byte[] from, int length) {
    reserve(length);
    System.arraycopy(from, 0, bytes, size, length);
    size += length;
  }

  /** Empty again; memory that the last use did not need is given back. */
  public void clear() {
    if (bytes.length > Math.max(capacityFirst, 4 * size)) {
      bytes = new byte[Math.max(capacityFirst, 2 * size)];
    }
    size = 0;
  }

  public byte[] toBytes() {
    return Arrays.copyOf(bytes, size);
  }

  private void reserve(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
    }
  }
}
