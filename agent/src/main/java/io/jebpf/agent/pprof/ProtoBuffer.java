package io.jebpf.agent.pprof;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;

/**
 * A message of the protobuf wire format under construction: fields in, bytes out. Owner: one
 * thread.
 *
 * <p>Why not protobuf-java: its writer calls {@code sun.misc.Unsafe}, for which JDK 24 and newer
 * print four warning lines on the application's standard error, and it would be the largest part of
 * the jar. The four kinds of field that pprof needs are written here.
 */
final class ProtoBuffer {
  private static final int VARINT = 0;
  private static final int BYTES = 2;

  private byte[] bytes;
  private int size;

  ProtoBuffer(int capacity) {
    bytes = new byte[capacity];
  }

  int size() {
    return size;
  }

  void clear() {
    size = 0;
  }

  /** A field of type int64, uint64 or bool; left out when it is 0, as proto3 does. */
  void number(int field, long value) {
    if (value != 0) {
      tag(field, VARINT);
      varint(value);
    }
  }

  void flag(int field, boolean value) {
    number(field, value ? 1 : 0);
  }

  void bytes(int field, byte[] content, int length) {
    tag(field, BYTES);
    varint(length);
    reserve(length);
    System.arraycopy(content, 0, bytes, size, length);
    size += length;
  }

  /** A nested message, or a packed list of varints. */
  void message(int field, ProtoBuffer content) {
    bytes(field, content.bytes, content.size);
  }

  /** A bare varint: an element of a packed list. Negative values take ten bytes. */
  void varint(long value) {
    reserve(10);
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      bytes[size++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[size++] = (byte) rest;
  }

  void writeTo(OutputStream out) throws IOException {
    out.write(bytes, 0, size);
  }

  private void tag(int field, int wireType) {
    varint((long) field << 3 | wireType);
  }

  private void reserve(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
    }
  }
}
