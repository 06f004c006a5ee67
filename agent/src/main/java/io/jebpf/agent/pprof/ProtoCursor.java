package io.jebpf.agent.pprof;

import java.io.IOException;
import java.nio.charset.Charset;
import java.util.Arrays;

/** Goes through the fields of one protobuf message. Owner: one thread. */
final class ProtoCursor {
  private final byte[] bytes;
  private final int limit;
  private int position;
  private int field;
  private long number;
  private int start;
  private int length = -1;

  ProtoCursor(byte[] bytes, int position, int limit) {
    this.bytes = bytes;
    this.position = position;
    this.limit = limit;
  }

  /** Steps to the next field; false at the end of the message. */
  boolean next() throws IOException {
    if (position >= limit) {
      return false;
    }
    long tag = varint();
    field = (int) (tag >>> 3);
    length = -1;
    switch ((int) (tag & 7)) {
      case 0 -> number = varint();
      case 1 -> skip(8);
      case 2 -> {
        long size = varint();
        start = position;
        length = (int) Math.min(size, Integer.MAX_VALUE);
        skip(size);
      }
      case 5 -> skip(4);
      default -> throw new IOException("wire type " + (tag & 7) + " at byte " + position);
    }
    return true;
  }

  int field() {
    return field;
  }

  long number() {
    return number;
  }

  ProtoCursor nested() {
    return new ProtoCursor(bytes, start, start + length);
  }

  String text(Charset charset) {
    return new String(bytes, start, length, charset);
  }

  /** A packed list of varints, or the one number of an unpacked element. */
  long[] packed() throws IOException {
    if (length < 0) {
      return new long[] {number};
    }
    long[] values = new long[length];
    int count = 0;
    ProtoCursor list = nested();
    while (list.position < list.limit) {
      values[count++] = list.varint();
    }
    return Arrays.copyOf(values, count);
  }

  private void skip(long count) throws IOException {
    if (count < 0 || count > limit - position) {
      throw new IOException("field " + field + " of " + count + " bytes ends behind the message");
    }
    position += (int) count;
  }

  private long varint() throws IOException {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (position >= limit) {
        throw new IOException("truncated number at byte " + position);
      }
      byte next = bytes[position++];
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw new IOException("number of more than 10 bytes at byte " + position);
  }
}
