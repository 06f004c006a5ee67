package io.jebpf.agent.pprof;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A message of the protobuf wire format under construction: fields in, bytes out. Owner: one
 * thread.
 *
 * <p>An array that is used again for message after message; generated message classes would make an
 * object of each sample, location and line. The bytes are written here and not by protobuf-java's
 * CodedOutputStream: in the first window nothing is compiled, and its layers of calls and thirty
 * classes were a third of what that window's profiles took. Reading is left to that library.
 */
public final class ProtoBuffer {
  /** Longest tag, and longest length or number. */
  private static final int HEADER_BYTES_MAX = 5 + 10;

  /** Largest varint of one byte. */
  private static final int ONE_BYTE_MAX = 0x7f;

  /** Wire types of the format. */
  private static final int VARINT = 0;

  private static final int FIXED64 = 1;
  private static final int LENGTH_DELIMITED = 2;

  private byte[] bytes;
  private int size;

  public ProtoBuffer(int capacity) {
    bytes = new byte[capacity];
  }

  public int size() {
    return size;
  }

  public void clear() {
    size = 0;
  }

  /** A field of type int64, uint64 or bool; left out when it is 0, as proto3 does. */
  public void number(int field, long value) {
    if (value == 0) {
      return;
    }
    reserve(HEADER_BYTES_MAX);
    tag(field << 3 | VARINT);
    write(value);
  }

  public void flag(int field, boolean value) {
    number(field, value ? 1 : 0);
  }

  /**
   * Begins a nested message, or a packed list of varints: what is written up to {@link #end} is its
   * content.
   *
   * @return what {@link #end} wants to know
   */
  public int begin(int field) {
    reserve(HEADER_BYTES_MAX);
    tag(field << 3 | LENGTH_DELIMITED);
    return ++size; // room for a length of one byte
  }

  /** Ends what {@link #begin} began. */
  public void end(int begin) {
    int length = size - begin;
    if (length <= ONE_BYTE_MAX) {
      bytes[begin - 1] = (byte) length;
      return;
    }
    int more = 0; // bytes of the length, beyond the first
    for (int rest = length >>> 7; rest != 0; rest >>>= 7) {
      more++;
    }
    reserve(more);
    System.arraycopy(bytes, begin, bytes, begin + more, length);
    size = begin - 1;
    write(length);
    size += length;
  }

  public void bytes(int field, byte[] content, int length) {
    reserve(HEADER_BYTES_MAX + length);
    tag(field << 3 | LENGTH_DELIMITED);
    write(length);
    System.arraycopy(content, 0, bytes, size, length);
    size += length;
  }

  public void text(int field, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    bytes(field, utf8, utf8.length);
  }

  /** Eight bytes, little-endian; left out when they are 0. */
  public void fixed64(int field, long value) {
    if (value == 0) {
      return;
    }
    reserve(HEADER_BYTES_MAX);
    tag(field << 3 | FIXED64);
    for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
      bytes[size++] = (byte) (value >>> shift);
    }
  }

  /** Fields, or elements of a packed list, that are encoded already. */
  public void append(byte[] fields) {
    append(fields, 0, fields.length);
  }

  /** The last bytes of another one. */
  public void appendTail(ProtoBuffer from, int length) {
    append(from.bytes, from.size - length, length);
  }

  /** A part of another one. */
  public void append(ProtoBuffer from, int offset, int length) {
    append(from.bytes, offset, length);
  }

  private void append(byte[] from, int offset, int length) {
    reserve(length);
    System.arraycopy(from, offset, bytes, size, length);
    size += length;
  }

  public byte[] toByteArray() {
    return Arrays.copyOf(bytes, size);
  }

  /** A nested message, or a packed list of varints. */
  public void message(int field, ProtoBuffer content) {
    bytes(field, content.bytes, content.size);
  }

  /** A bare varint: an element of a packed list. Negative values take ten bytes. */
  public void varint(long value) {
    reserve(HEADER_BYTES_MAX);
    write(value);
  }

  public void writeTo(OutputStream out) throws IOException {
    out.write(bytes, 0, size);
  }

  /** A tag, for which there is room. */
  private void tag(int tag) {
    if (tag <= ONE_BYTE_MAX) {
      bytes[size++] = (byte) tag;
    } else {
      write(tag);
    }
  }

  /** A varint, for which there is room. */
  private void write(long value) {
    byte[] to = bytes;
    int at = size;
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      to[at++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    to[at++] = (byte) rest;
    size = at;
  }

  private void reserve(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
    }
  }
}
