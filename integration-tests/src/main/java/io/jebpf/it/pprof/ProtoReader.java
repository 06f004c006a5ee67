package io.jebpf.it.pprof;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads the protobuf wire format from a byte range. Written for the tests and independent of the
 * agent's writer, so that an error in one is not hidden by the same error in the other.
 */
public final class ProtoReader {
  static final int VARINT = 0;
  static final int FIXED64 = 1;
  static final int BYTES = 2;
  static final int FIXED32 = 5;

  private final byte[] bytes;
  private final int end;
  private int position;
  private int field;
  private int wireType;

  public ProtoReader(byte[] bytes) {
    this(bytes, 0, bytes.length);
  }

  private ProtoReader(byte[] bytes, int from, int end) {
    this.bytes = bytes;
    this.position = from;
    this.end = end;
  }

  /** Reads the next tag; false at the end of the range. */
  public boolean next() {
    if (position == end) {
      return false;
    }
    long tag = rawVarint();
    field = Math.toIntExact(tag >>> 3);
    wireType = (int) (tag & 7);
    if (field == 0) {
      throw new MalformedProfile("field number 0 before byte " + position);
    }
    return true;
  }

  public int field() {
    return field;
  }

  public long varint() {
    expect(VARINT);
    return rawVarint();
  }

  public boolean bool() {
    long value = varint();
    if (value != 0 && value != 1) {
      throw new MalformedProfile("bool with value " + value + " in field " + field);
    }
    return value == 1;
  }

  public ProtoReader message() {
    int length = length();
    ProtoReader inner = new ProtoReader(bytes, position, position + length);
    position += length;
    return inner;
  }

  public byte[] bytes() {
    int length = length();
    position += length;
    return Arrays.copyOfRange(bytes, position - length, position);
  }

  /** A string field; malformed UTF-8 is refused, as the contract asks for valid strings. */
  public String string() {
    int length = length();
    try {
      String text =
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(bytes, position, length))
              .toString();
      position += length;
      return text;
    } catch (CharacterCodingException e) {
      throw new MalformedProfile("string that is not UTF-8 at byte " + position, e);
    }
  }

  /** A repeated integer field, packed or not. */
  void integers(LongList into) {
    if (wireType == VARINT) {
      into.add(rawVarint());
      return;
    }
    ProtoReader packed = message();
    while (packed.position < packed.end) {
      into.add(packed.rawVarint());
    }
  }

  public void skip() {
    switch (wireType) {
      case VARINT -> rawVarint();
      case FIXED64 -> advance(8);
      case FIXED32 -> advance(4);
      case BYTES -> advance(length());
      default -> throw new MalformedProfile("wire type " + wireType + " in field " + field);
    }
  }

  private int length() {
    expect(BYTES);
    long length = rawVarint();
    if (length < 0 || length > end - position) {
      throw new MalformedProfile(
          "length " + length + " in field " + field + " passes the end of its message");
    }
    return (int) length;
  }

  private void advance(int count) {
    if (count > end - position) {
      throw new MalformedProfile("field " + field + " passes the end of its message");
    }
    position += count;
  }

  private void expect(int type) {
    if (wireType != type) {
      throw new MalformedProfile("field " + field + " has wire type " + wireType + ", not " + type);
    }
  }

  private long rawVarint() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (position == end) {
        throw new MalformedProfile("varint passes the end of its message");
      }
      byte part = bytes[position++];
      value |= (long) (part & 0x7f) << shift;
      if (part >= 0) {
        return value;
      }
    }
    throw new MalformedProfile("varint of more than ten bytes before byte " + position);
  }
}
