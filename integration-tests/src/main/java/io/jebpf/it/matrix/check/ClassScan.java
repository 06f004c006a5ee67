package io.jebpf.it.matrix.check;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the methods of a class file call. Methods are told by name alone, as profiles tell them:
 * overloads share what they call.
 */
final class ClassScan {
  /** An instruction that calls: owner as in {@code Class.getName}, and name. */
  record Call(String owner, String name) {}

  private static final int INVOKEVIRTUAL = 0xb6;
  private static final int INVOKEINTERFACE = 0xb9;
  private static final int INVOKEDYNAMIC = 0xba;

  /** Kinds of method handle constants from here on call; the others access fields. */
  private static final int REFERENCE_CALLS = 5;

  private static final int IINC = 0x84;
  private static final int WIDE = 0xc4;
  private static final int TABLESWITCH = 0xaa;
  private static final int LOOKUPSWITCH = 0xab;

  /** Bytes of each instruction by opcode, 16 a line; 0: it depends. */
  private static final String LENGTHS =
      "1111111111111111"
          + "2323322222111111"
          + "1111111111111111"
          + "1111112222211111"
          + "1111111111111111"
          + "1111111111111111"
          + "1111111111111111"
          + "1111111111111111"
          + "1111311111111111"
          + "1111111113333333"
          + "3333333332001111"
          + "1133333335532311"
          + "3311043355";

  private final ByteBuffer in;
  private final Map<Integer, Object> pool = new HashMap<>();
  private final Map<String, Set<Call>> calls = new HashMap<>();
  private final Set<String> dynamic = new HashSet<>();
  private final Set<String> methods = new HashSet<>();
  private final Set<Call> handles = new HashSet<>();
  private final List<int[]> methodHandles = new ArrayList<>();

  ClassScan(byte[] classFile) {
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
    for (int[] handle : methodHandles) {
      if (pool.get(handle[1]) instanceof int[] reference && handle[0] >= REFERENCE_CALLS) {
        handles.add(call(reference));
      }
    }
  }

  boolean declares(String method) {
    return methods.contains(method);
  }

  Set<Call> calls(String method) {
    return calls.getOrDefault(method, Set.of());
  }

  /** Whether the method links something at run time: a call site, a constant, a method handle. */
  boolean isDynamic(String method) {
    return dynamic.contains(method);
  }

  /** The methods that constants of the class refer to: targets of lambdas and method references. */
  Set<Call> handles() {
    return handles;
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
        case 7 -> pool.put(i, u2());
        case 8, 16, 19, 20 -> u2();
        case 9, 10, 11, 12 -> pool.put(i, new int[] {u2(), u2()});
        case 15 -> methodHandles.add(new int[] {in.get(), u2()});
        case 17, 18 -> in.getInt();
        default -> throw new IllegalStateException("constant tag " + tag);
      }
    }
  }

  private Call call(int[] reference) {
    int[] nameAndType = (int[]) pool.get(reference[1]);
    String owner = (String) pool.get((int) pool.get(reference[0]));
    return new Call(owner.replace('/', '.'), (String) pool.get(nameAndType[0]));
  }

  private void method() {
    u2();
    String name = (String) pool.get(u2());
    methods.add(name);
    u2();
    for (int attributes = u2(); attributes > 0; attributes--) {
      String attribute = (String) pool.get(u2());
      int end = in.getInt() + in.position();
      if (attribute.equals("Code")) {
        u2();
        u2();
        byte[] code = new byte[in.getInt()];
        in.get(code);
        body(name, code);
      }
      in.position(end);
    }
  }

  private void body(String method, byte[] code) {
    Set<Call> into = calls.computeIfAbsent(method, key -> new HashSet<>());
    for (int at = 0; at < code.length; at += length(code, at)) {
      int opcode = code[at] & 0xff;
      if (opcode >= INVOKEVIRTUAL && opcode <= INVOKEINTERFACE) {
        into.add(call((int[]) pool.get(short16(code, at + 1))));
      } else if (opcode == INVOKEDYNAMIC) {
        dynamic.add(method);
      }
    }
  }

  private static int length(byte[] code, int at) {
    int opcode = code[at] & 0xff;
    switch (opcode) {
      case TABLESWITCH -> {
        int base = (at & ~3) + 4;
        return base + 12 + 4 * (int32(code, base + 8) - int32(code, base + 4) + 1) - at;
      }
      case LOOKUPSWITCH -> {
        int base = (at & ~3) + 4;
        return base + 8 + 8 * int32(code, base + 4) - at;
      }
      case WIDE -> {
        return (code[at + 1] & 0xff) == IINC ? 6 : 4;
      }
      default -> {
        return LENGTHS.charAt(opcode) - '0';
      }
    }
  }

  private static int short16(byte[] code, int at) {
    return (code[at] & 0xff) << 8 | code[at + 1] & 0xff;
  }

  private static int int32(byte[] code, int at) {
    return short16(code, at) << 16 | short16(code, at + 2);
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
