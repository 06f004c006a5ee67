package io.jebpf.it.pprof;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/** A small profile as bytes: good as it is, and breakable through its fields. */
final class ProfileBytes {
  List<String> strings =
      new ArrayList<>(
          List.of(
              "",
              "samples",
              "count",
              "cpu",
              "nanoseconds",
              "a.B.leaf",
              "a.B.root",
              "a/B.java",
              "[jvm]",
              "thread",
              "main"));
  boolean periodType = true;
  boolean gzip = true;
  long timeNanos = System.currentTimeMillis() * 1_000_000;
  long durationNanos = 10_000_000_000L;
  long mappingOfLocations = 1;
  long secondLocationId = 2;
  long secondFunctionId = 2;
  long systemName;
  int linesPerLocation = 1;
  long[] values = {3, 30_000_000};
  long[] stack = {1, 2};
  int sampleCopies = 1;
  long labelNumber;

  byte[] build() throws IOException {
    Message profile = new Message();
    profile.message(1, valueType(1, 2)).message(1, valueType(3, 4));
    for (int i = 0; i < sampleCopies; i++) {
      Message label = new Message().number(1, 9).number(2, 10).number(3, labelNumber);
      profile.message(2, new Message().packed(1, stack).packed(2, values).message(3, label));
    }
    profile.message(3, new Message().number(1, 1).number(5, 8).number(7, 1));
    profile.message(4, location(1, 1, 17));
    profile.message(4, location(secondLocationId, secondFunctionId, 4));
    profile.message(5, new Message().number(1, 1).number(2, 5).number(3, systemName).number(4, 7));
    profile.message(5, new Message().number(1, secondFunctionId).number(2, 6).number(4, 7));
    for (String text : strings) {
      profile.bytes(6, text.getBytes(StandardCharsets.UTF_8));
    }
    profile.number(9, timeNanos).number(10, durationNanos);
    if (periodType) {
      profile.message(11, valueType(3, 4));
    }
    profile.number(12, 10_101_010);
    return gzip ? gzipped(profile.toBytes()) : profile.toBytes();
  }

  private Message location(long id, long function, long line) {
    Message location = new Message().number(1, id).number(2, mappingOfLocations);
    for (int i = 0; i < linesPerLocation; i++) {
      location.message(4, new Message().number(1, function).number(2, line));
    }
    return location;
  }

  private static Message valueType(long type, long unit) {
    return new Message().number(1, type).number(2, unit);
  }

  private static byte[] gzipped(byte[] body) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(body);
    }
    return out.toByteArray();
  }

  /** One protobuf message under construction. */
  private static final class Message {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Message number(int field, long value) {
      varint((long) field << 3);
      varint(value);
      return this;
    }

    Message bytes(int field, byte[] value) {
      varint((long) field << 3 | 2);
      varint(value.length);
      out.writeBytes(value);
      return this;
    }

    Message message(int field, Message inner) {
      return bytes(field, inner.toBytes());
    }

    Message packed(int field, long[] values) {
      Message inner = new Message();
      for (long value : values) {
        inner.varint(value);
      }
      return message(field, inner);
    }

    byte[] toBytes() {
      return out.toByteArray();
    }

    private void varint(long value) {
      long rest = value;
      while ((rest & ~0x7fL) != 0) {
        out.write((int) (rest & 0x7f | 0x80));
        rest >>>= 7;
      }
      out.write((int) rest);
    }
  }
}
