package io.jebpf.agent.context;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;

/**
 * Another name for a class in a class file. Names stand in the texts of its constant pool only, by
 * themselves and inside descriptors, so nothing but these texts changes.
 *
 * @param from internal name
 * @param to internal name
 */
record ClassRename(String from, String to) {
  private static final int HEAD_BYTES = 8; // magic, version
  private static final int UTF8 = 1;
  private static final int LONG = 5;
  private static final int DOUBLE = 6;

  static byte[] in(byte[] classFile, List<ClassRename> renames) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(classFile.length);
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(classFile));
    DataOutputStream out = new DataOutputStream(bytes);
    out.write(in.readNBytes(HEAD_BYTES));
    int count = in.readUnsignedShort();
    out.writeShort(count);
    for (int i = 1; i < count; i++) {
      int tag = in.readUnsignedByte();
      out.writeByte(tag);
      if (tag == UTF8) {
        String text = in.readUTF();
        for (ClassRename rename : renames) {
          text = text.replace(rename.from(), rename.to());
        }
        out.writeUTF(text);
      } else {
        out.write(in.readNBytes(operandBytes(tag)));
      }
      if (tag == LONG || tag == DOUBLE) {
        i++; // takes two places
      }
    }
    in.transferTo(out);
    return bytes.toByteArray();
  }

  private static int operandBytes(int tag) throws IOException {
    return switch (tag) {
      case 3, 4, 9, 10, 11, 12, 17, 18 -> 4; // Integer, Float, refs, NameAndType, Dynamic
      case LONG, DOUBLE -> 8;
      case 7, 8, 16, 19, 20 -> 2; // Class, String, MethodType, Module, Package
      case 15 -> 3; // MethodHandle
      default -> throw new IOException("constant of kind " + tag);
    };
  }
}
