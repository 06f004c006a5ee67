package io.jebpf.agent.vthread;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Makes a class call another class's method of the same name and shape: appends that class's name
 * to the constant pool and points the one method reference at it. No instruction, no stack map and
 * no line number changes, and the class file's version does not matter. Pure.
 *
 * <pre>
 *  class file   0: magic   4: minor, major   8: u2 count of constants, then constants 1 to count - 1
 *  Utf8      1: u2 length, bytes          Class     7: u2 name
 *  Methodref 10: u2 class, u2 name and type    NameAndType 12: u2 name, u2 type
 * </pre>
 *
 * (JVM specification, Java SE 22, 4.4.)
 */
final class YieldCall {
  private static final int COUNT_OFFSET = 8;
  private static final int POOL_OFFSET = 10;
  private static final int POOL_MAX = 65_535;

  private static final int UTF8 = 1;
  private static final int CLASS = 7;
  private static final int METHOD_REFERENCE = 10;
  private static final int NAME_AND_TYPE = 12;

  private final ByteBuffer in;
  private final int[] offsets;
  private final int end;

  private YieldCall(byte[] classFile) {
    in = ByteBuffer.wrap(classFile);
    int count = in.getShort(COUNT_OFFSET) & 0xffff;
    offsets = new int[count];
    int at = POOL_OFFSET;
    for (int i = 1; i < count; i++) {
      offsets[i] = at;
      int tag = in.get(at);
      at += bytes(tag, at);
      if (tag == 5 || tag == 6) {
        i++; // long and double take two numbers
      }
    }
    end = at;
  }

  private int bytes(int tag, int at) {
    return switch (tag) {
      case UTF8 -> 3 + (in.getShort(at + 1) & 0xffff);
      case 3, 4, 9, METHOD_REFERENCE, 11, NAME_AND_TYPE, 17, 18 -> 5;
      case 5, 6 -> 9;
      case CLASS, 8, 16, 19, 20 -> 3;
      case 15 -> 4;
      default -> throw new IllegalArgumentException("constant of tag " + tag);
    };
  }

  /**
   * The class file with the call redirected; empty when it has no such call.
   *
   * @param owner, name, descriptor the method that is called, names as in a class file
   * @param target the class to call instead
   * @throws RuntimeException this is no class file as known today
   */
  static Optional<byte[]> redirect(
      byte[] classFile, String owner, String name, String descriptor, String target) {
    return new YieldCall(classFile).redirected(owner, name, descriptor, target);
  }

  private Optional<byte[]> redirected(String owner, String name, String descriptor, String target) {
    for (int i = 1; i < offsets.length; i++) {
      if (tag(i) == METHOD_REFERENCE && isCall(offsets[i], owner, name, descriptor)) {
        return Optional.of(withClass(offsets[i] + 1, target));
      }
    }
    return Optional.empty();
  }

  private int tag(int index) {
    return offsets[index] == 0 ? 0 : in.get(offsets[index]);
  }

  private boolean isCall(int reference, String owner, String name, String descriptor) {
    int nameAndType = offsets[number(reference + 3)];
    return text(number(offsets[number(reference + 1)] + 1)).equals(owner)
        && text(number(nameAndType + 1)).equals(name)
        && text(number(nameAndType + 3)).equals(descriptor);
  }

  private int number(int offset) {
    return in.getShort(offset) & 0xffff;
  }

  private String text(int index) {
    int at = offsets[index];
    return new String(in.array(), at + 3, number(at + 1), StandardCharsets.UTF_8);
  }

  private byte[] withClass(int classNumberOffset, String target) {
    if (offsets.length + 2 > POOL_MAX) {
      throw new IllegalArgumentException("the constant pool is full");
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(in.capacity() + 64);
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      byte[] old = in.array();
      out.write(old, 0, COUNT_OFFSET);
      out.writeShort(offsets.length + 2);
      out.write(old, POOL_OFFSET, classNumberOffset - POOL_OFFSET);
      out.writeShort(offsets.length + 1);
      out.write(old, classNumberOffset + 2, end - classNumberOffset - 2);
      out.writeByte(UTF8);
      out.writeUTF(target);
      out.writeByte(CLASS);
      out.writeShort(offsets.length);
      out.write(old, end, old.length - end);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a ByteArrayOutputStream throws none
    }
    return bytes.toByteArray();
  }
}
