package io.jebpf.agent.vthread;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Makes a class call another class's method of the same name: appends that class's name to the
 * constant pool and points the one method reference at it. Where the other method is static and the
 * first was not, one instruction becomes another of the same length and effect. No stack map and no
 * line number changes, and the class file's version does not matter. Pure.
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
  private static final int METHOD_HANDLE = 15;
  private static final int METHOD_REFERENCE = 10;
  private static final int NAME_AND_TYPE = 12;

  private static final int INVOKE_VIRTUAL = 0xb6;
  private static final int INVOKE_STATIC = 0xb8;
  private static final int CALL_BYTES = 3;

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
      case METHOD_HANDLE -> 4;
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

  /**
   * The class file with its one virtual call of a method turned into a call of a static one of the
   * same name, which has the receiver as its first argument. Empty when there is not just one place
   * that can be it.
   *
   * @param staticDescriptor of the other method
   */
  static Optional<byte[]> redirectToStatic(
      byte[] classFile,
      String owner,
      String name,
      String descriptor,
      String target,
      String staticDescriptor) {
    return new YieldCall(classFile).toStatic(owner, name, descriptor, target, staticDescriptor);
  }

  private Optional<byte[]> toStatic(
      String owner, String name, String descriptor, String target, String staticDescriptor) {
    for (int i = 1; i < offsets.length; i++) {
      if (tag(i) == METHOD_REFERENCE && isCall(offsets[i], owner, name, descriptor)) {
        int at = onlyCall(i);
        return at == 0 || isHandle(i)
            ? Optional.empty()
            : Optional.of(withStatic(at, number(offsets[i] + 3), target, staticDescriptor));
      }
    }
    return Optional.empty();
  }

  private boolean isHandle(int reference) {
    for (int i = 1; i < offsets.length; i++) {
      if (tag(i) == METHOD_HANDLE && number(offsets[i] + 2) == reference) {
        return true;
      }
    }
    return false;
  }

  /**
   * Where the reference is called. Whoever has it in his pool calls it somewhere: if the bytes of
   * the instruction are there once behind the pool, that is where. 0: they are there more than
   * once.
   */
  private int onlyCall(int reference) {
    int found = 0;
    for (int at = end; at <= in.capacity() - CALL_BYTES; at++) {
      if ((in.get(at) & 0xff) == INVOKE_VIRTUAL && number(at + 1) == reference) {
        if (found != 0) {
          return 0;
        }
        found = at;
      }
    }
    return found;
  }

  private byte[] withStatic(int call, int nameAndType, String target, String staticDescriptor) {
    int count = offsets.length;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(in.capacity() + 128);
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      byte[] old = in.array();
      begin(out, 5);
      out.write(old, POOL_OFFSET, end - POOL_OFFSET);
      addClass(out, target);
      out.writeByte(UTF8);
      out.writeUTF(staticDescriptor);
      out.writeByte(NAME_AND_TYPE);
      out.writeShort(number(offsets[nameAndType] + 1));
      out.writeShort(count + 2);
      out.writeByte(METHOD_REFERENCE);
      out.writeShort(count + 1);
      out.writeShort(count + 3);
      out.write(old, end, call - end);
      out.writeByte(INVOKE_STATIC);
      out.writeShort(count + 4);
      out.write(old, call + CALL_BYTES, old.length - call - CALL_BYTES);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a ByteArrayOutputStream throws none
    }
    return bytes.toByteArray();
  }

  /** The value of a class's constant of type int; empty when it has none of that name. */
  static OptionalInt constant(byte[] classFile, String name) {
    return new YieldCall(classFile).constantOf(name);
  }

  /**
   *
   *
   * <pre>
   *  behind the pool  0: flags, class, super class   6: u2 count of interfaces, then u2 each
   *  then             u2 count of fields, each: u2 flags, name, type, count of attributes
   *  attribute        0: u2 name   2: u4 bytes, then they; of ConstantValue: u2 constant
   * </pre>
   */
  private OptionalInt constantOf(String wanted) {
    int at = end + 8 + 2 * number(end + 6);
    int fields = number(at);
    at += 2;
    for (int field = 0; field < fields; field++) {
      boolean isWanted = text(number(at + 2)).equals(wanted) && text(number(at + 4)).equals("I");
      int attributes = number(at + 6);
      at += 8;
      for (int i = 0; i < attributes; i++) {
        if (isWanted && text(number(at)).equals("ConstantValue")) {
          return OptionalInt.of(in.getInt(offsets[number(at + 6)] + 1));
        }
        at += 6 + in.getInt(at + 2);
      }
    }
    return OptionalInt.empty();
  }

  /** What is in front of the pool, which gets that many constants more. */
  private void begin(DataOutputStream out, int more) throws IOException {
    if (offsets.length + more > POOL_MAX) {
      throw new IllegalArgumentException("the constant pool is full");
    }
    out.write(in.array(), 0, COUNT_OFFSET);
    out.writeShort(offsets.length + more);
  }

  /** The first two constants behind the pool: a name, and the class of that name. */
  private void addClass(DataOutputStream out, String name) throws IOException {
    out.writeByte(UTF8);
    out.writeUTF(name);
    out.writeByte(CLASS);
    out.writeShort(offsets.length);
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
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(in.capacity() + 64);
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      byte[] old = in.array();
      begin(out, 2);
      out.write(old, POOL_OFFSET, classNumberOffset - POOL_OFFSET);
      out.writeShort(offsets.length + 1);
      out.write(old, classNumberOffset + 2, end - classNumberOffset - 2);
      addClass(out, target);
      out.write(old, end, old.length - end);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a ByteArrayOutputStream throws none
    }
    return bytes.toByteArray();
  }
}
