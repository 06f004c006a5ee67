package io.jebpf.agent.pprof;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A message of the protobuf wire format under construction: fields in, bytes out. Owner: one
 * thread.
 *
 * <p>protobuf-java encodes into an array that is used again for message after message; generated
 * message classes would make an object of each sample, location and line. The agent's module does
 * not read {@code jdk.unsupported}: protobuf-java finds no {@code sun.misc.Unsafe} there, goes
 * without, and so spares the application the four warning lines of JDK 24 and newer.
 */
public final class ProtoBuffer {
  /** Longest tag, and longest length or number. */
  private static final int HEADER_BYTES_MAX = 5 + 10;

  private byte[] bytes;

  /** Bytes before the encoder's own start: it was replaced when the array grew. */
  private int before;

  private CodedOutputStream encoder;

  public ProtoBuffer(int capacity) {
    bytes = new byte[capacity];
    encoder = CodedOutputStream.newInstance(bytes);
  }

  public int size() {
    return before + encoder.getTotalBytesWritten();
  }

  public void clear() {
    before = 0;
    encoder = CodedOutputStream.newInstance(bytes);
  }

  /** A field of type int64, uint64 or bool; left out when it is 0, as proto3 does. */
  public void number(int field, long value) {
    if (value == 0) {
      return;
    }
    reserve(HEADER_BYTES_MAX);
    try {
      encoder.writeInt64(field, value);
    } catch (IOException e) {
      throw noRoom(e);
    }
  }

  public void flag(int field, boolean value) {
    number(field, value ? 1 : 0);
  }

  public void bytes(int field, byte[] content, int length) {
    reserve(HEADER_BYTES_MAX + length);
    try {
      encoder.writeTag(field, WireFormat.WIRETYPE_LENGTH_DELIMITED);
      encoder.writeUInt32NoTag(length);
      encoder.write(content, 0, length);
    } catch (IOException e) {
      throw noRoom(e);
    }
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
    try {
      encoder.writeFixed64(field, value);
    } catch (IOException e) {
      throw noRoom(e);
    }
  }

  /** Fields, or elements of a packed list, that are encoded already. */
  public void append(byte[] fields) {
    append(fields, 0, fields.length);
  }

  /** The last bytes of another one. */
  public void appendTail(ProtoBuffer from, int length) {
    append(from.bytes, from.size() - length, length);
  }

  private void append(byte[] from, int offset, int length) {
    reserve(length);
    try {
      encoder.write(from, offset, length);
    } catch (IOException e) {
      throw noRoom(e);
    }
  }

  public byte[] toByteArray() {
    return Arrays.copyOf(bytes, size());
  }

  /** A nested message, or a packed list of varints. */
  public void message(int field, ProtoBuffer content) {
    bytes(field, content.bytes, content.size());
  }

  /** A bare varint: an element of a packed list. Negative values take ten bytes. */
  public void varint(long value) {
    reserve(HEADER_BYTES_MAX);
    try {
      encoder.writeInt64NoTag(value);
    } catch (IOException e) {
      throw noRoom(e);
    }
  }

  public void writeTo(OutputStream out) throws IOException {
    out.write(bytes, 0, size());
  }

  private void reserve(int more) {
    if (encoder.spaceLeft() < more) {
      before = size();
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, before + more));
      encoder = CodedOutputStream.newInstance(bytes, before, bytes.length - before);
    }
  }

  private static IllegalStateException noRoom(IOException cause) {
    return new IllegalStateException("no room was reserved", cause);
  }
}
