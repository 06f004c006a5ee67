package io.jebpf.agent.pprof;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.charset.Charset;
import java.util.Arrays;

/** Goes through the fields of one protobuf message in an array. Owner: one thread. */
final class ProtoCursor {
  private final byte[] bytes;
  private final int base;
  private final CodedInputStream in;
  private int field;
  private long number;
  private int start;
  private int length = -1;

  ProtoCursor(byte[] bytes, int position, int limit) {
    this.bytes = bytes;
    this.base = position;
    this.in = CodedInputStream.newInstance(bytes, position, limit - position);
  }

  /** Steps to the next field; false at the end of the message. */
  boolean next() throws IOException {
    int tag = in.readTag();
    if (tag == 0) {
      return false;
    }
    field = WireFormat.getTagFieldNumber(tag);
    length = -1;
    switch (WireFormat.getTagWireType(tag)) {
      case WireFormat.WIRETYPE_VARINT -> number = in.readInt64();
      case WireFormat.WIRETYPE_LENGTH_DELIMITED -> {
        length = in.readRawVarint32();
        start = base + in.getTotalBytesRead();
        in.skipRawBytes(length);
      }
      default -> in.skipField(tag);
    }
    return true;
  }

  int field() {
    return field;
  }

  long number() {
    return number;
  }

  /** Where the content of a length-delimited field begins in the bytes. */
  int start() {
    return start;
  }

  int length() {
    return length;
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
    CodedInputStream list = CodedInputStream.newInstance(bytes, start, length);
    while (!list.isAtEnd()) {
      values[count++] = list.readInt64();
    }
    return Arrays.copyOf(values, count);
  }
}
