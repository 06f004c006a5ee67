package io.jebpf.symbolizer.hotspot;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a class file says of its methods: the truth that decoded frames are compared with. */
final class ClassFileMethods {
  record Method(String name, byte[] code, Map<Integer, Integer> lines) {
    /** Line of the entry with the greatest start at or below {@code bci}; 0 without entries. */
    int line(int bci) {
      int best = -1;
      for (int start : lines.keySet()) {
        if (start <= bci && start > best) {
          best = start;
        }
      }
      return best < 0 ? 0 : lines.get(best);
    }
  }

  private final ByteBuffer in;
  private final Map<Integer, Object> pool = new HashMap<>();
  private final List<Method> methods = new ArrayList<>();

  ClassFileMethods(byte[] classFile) {
    in = ByteBuffer.wrap(classFile);
    in.position(8);
    constantPool();
    in.position(in.position() + 6);
    int interfaces = u2();
    in.position(in.position() + 2 * interfaces);
    for (int fields = u2(); fields > 0; fields--) {
      in.position(in.position() + 6);
      skipAttributes();
    }
    for (int count = u2(); count > 0; count--) {
      method();
    }
  }

  List<Method> named(String name) {
    return methods.stream().filter(method -> method.name.equals(name)).toList();
  }

  /**
   * Name of the method that the bytecode at {@code bci} calls; "?" for invokedynamic, empty when it
   * is no call.
   */
  String called(Method method, int bci) {
    int opcode = method.code[bci] & 0xff;
    if (opcode == 0xba) {
      return "?";
    }
    if (opcode < 0xb6 || opcode > 0xb9) {
      return "";
    }
    int reference = (method.code[bci + 1] & 0xff) << 8 | method.code[bci + 2] & 0xff;
    int[] classAndName = (int[]) pool.get(reference);
    int[] nameAndType = (int[]) pool.get(classAndName[1]);
    return (String) pool.get(nameAndType[0]);
  }

  private void constantPool() {
    int count = u2();
    for (int i = 1; i < count; i++) {
      int tag = in.get();
      switch (tag) {
        case 1 -> {
          byte[] text = new byte[u2()];
          in.get(text);
          pool.put(i, new String(text, StandardCharsets.UTF_8));
        }
        case 3, 4 -> in.getInt();
        case 5, 6 -> {
          in.getLong();
          i++;
        }
        case 7, 8, 16, 19, 20 -> u2();
        case 9, 10, 11, 12, 17, 18 -> pool.put(i, new int[] {u2(), u2()});
        case 15 -> in.position(in.position() + 3);
        default -> throw new IllegalStateException("constant tag " + tag);
      }
    }
  }

  private void method() {
    u2();
    String name = (String) pool.get(u2());
    u2();
    byte[] code = new byte[0];
    Map<Integer, Integer> lines = new HashMap<>();
    for (int attributes = u2(); attributes > 0; attributes--) {
      String attribute = (String) pool.get(u2());
      int end = in.getInt() + in.position();
      if (attribute.equals("Code")) {
        u2();
        u2();
        code = new byte[in.getInt()];
        in.get(code);
        int handlers = u2();
        in.position(in.position() + 8 * handlers);
        for (int nested = u2(); nested > 0; nested--) {
          String nestedName = (String) pool.get(u2());
          int nestedEnd = in.getInt() + in.position();
          if (nestedName.equals("LineNumberTable")) {
            for (int entries = u2(); entries > 0; entries--) {
              lines.put(u2(), u2());
            }
          }
          in.position(nestedEnd);
        }
      }
      in.position(end);
    }
    methods.add(new Method(name, code, lines));
  }

  private void skipAttributes() {
    for (int attributes = u2(); attributes > 0; attributes--) {
      u2();
      int length = in.getInt();
      in.position(in.position() + length);
    }
  }

  private int u2() {
    return in.getShort() & 0xffff;
  }
}
