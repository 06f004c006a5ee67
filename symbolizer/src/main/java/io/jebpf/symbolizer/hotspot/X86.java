package io.jebpf.symbolizer.hotspot;

/** Lengths, jumps and stack effects of x86-64 instructions, without what the operands mean. */
final class X86 {
  /** A VEX or EVEX prefix, and the maps of opcodes it can select. */
  private static final int VEX2 = 0xc5;

  private static final int VEX3 = 0xc4;
  private static final int EVEX = 0x62;
  private static final int MAP_0F = 1;
  private static final int MAP_0F38 = 2;
  private static final int MAP_0F3A = 3;

  private static final int OPERAND_SIZE = 0x66;
  private static final int INSTRUCTION_BYTES_MAX = 15;

  private X86() {}

  /** Bytes of the instruction at {@code at}; 0 when there is none, or it is cut off. */
  static int length(byte[] code, int at) {
    int i = at;
    boolean narrow = false;
    while (i < code.length && isLegacyPrefix(Bytes.u8(code, i))) {
      narrow |= Bytes.u8(code, i) == OPERAND_SIZE;
      i++;
    }
    boolean wide = false;
    if (i < code.length && (Bytes.u8(code, i) & 0xf0) == 0x40) {
      wide = (code[i] & 8) != 0;
      i++;
    }
    if (i >= code.length) {
      return 0;
    }
    int opcode = Bytes.u8(code, i++);
    int tail =
        switch (opcode) {
          case VEX2 -> vector(code, i + 1, MAP_0F, 1);
          case VEX3 -> i < code.length ? vector(code, i + 2, code[i] & 0x1f, 2) : -1;
          case EVEX -> i < code.length ? vector(code, i + 3, code[i] & 7, 3) : -1;
          case 0x0f -> twoByte(code, i);
          default -> oneByte(code, i, opcode, wide, narrow && !wide ? 2 : 4);
        };
    int length = tail < 0 ? 0 : i + tail - at;
    return length <= INSTRUCTION_BYTES_MAX && at + length <= code.length ? length : 0;
  }

  /** Whether control never goes on to what follows: a return or a jump without condition. */
  static boolean endsBlock(byte[] code, int at, int length) {
    int i = at;
    while (i < at + length - 1 && isLegacyPrefix(Bytes.u8(code, i))) {
      i++;
    }
    if ((Bytes.u8(code, i) & 0xf0) == 0x40 && i < at + length - 1) {
      i++;
    }
    int opcode = Bytes.u8(code, i);
    if (opcode == 0xff) {
      int operation = Bytes.u8(code, i + 1) >> 3 & 7;
      return operation == 4 || operation == 5;
    }
    return opcode == 0xc3
        || opcode == 0xc2
        || isDirectJump(opcode)
        || opcode == 0xf4
        || opcode == 0xcc
        || opcode == 0x0f && code[i + 1] == 0x0b;
  }

  /** A jump without condition to a place that the instruction names. */
  static boolean isDirectJump(int opcode) {
    return opcode == 0xe9 || opcode == 0xeb;
  }

  /** Words by which the instruction lowers rsp: 1 for a push, -1 for a pop. */
  static int wordsPushed(byte[] code, int at, int length) {
    int i = at;
    if ((Bytes.u8(code, i) & 0xf0) == 0x40 && length > 1) {
      i++;
    }
    int opcode = Bytes.u8(code, i);
    if (opcode >= 0x50 && opcode < 0x58 || opcode == 0x68 || opcode == 0x6a) {
      return 1;
    }
    if (opcode >= 0x58 && opcode < 0x60) {
      return -1;
    }
    boolean immediate8 = opcode == 0x83;
    if ((immediate8 || opcode == 0x81) && i + 2 < code.length) {
      int amount = immediate8 ? code[i + 2] : i + 6 <= code.length ? Bytes.i32(code, i + 2) : 0;
      int modrm = Bytes.u8(code, i + 1);
      return modrm == 0xec ? amount / 8 : modrm == 0xc4 ? -amount / 8 : 0; // sub, add rsp
    }
    return 0;
  }

  private static boolean isLegacyPrefix(int b) {
    return switch (b) {
      case OPERAND_SIZE, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65 -> true;
      default -> false;
    };
  }

  /** The methods below give the bytes after the opcode (here after the prefix's first byte). */
  private static int vector(byte[] code, int opcodeAt, int map, int prefix) {
    if (opcodeAt >= code.length) {
      return -1;
    }
    int opcode = Bytes.u8(code, opcodeAt);
    if (map == MAP_0F && opcode == 0x77) {
      return prefix + 1; // vzeroupper
    }
    boolean immediate = map == MAP_0F3A || map == MAP_0F && hasImmediate8(opcode);
    return plus(modRm(code, opcodeAt + 1), prefix + 1 + (immediate ? 1 : 0));
  }

  private static int oneByte(byte[] code, int i, int opcode, boolean wide, int immediate) {
    if (opcode < 0x40) {
      int form = opcode & 7; // add, or, adc, sbb, and, sub, xor, cmp
      return form < 4 ? modRm(code, i) : form == 4 ? 1 : form == 5 ? immediate : -1;
    }
    if (opcode >= 0x50 && opcode < 0x60 || opcode >= 0x90 && opcode < 0xa0 && opcode != 0x9a) {
      return 0;
    }
    if (opcode >= 0x70 && opcode < 0x80 || opcode >= 0xb0 && opcode < 0xb8) {
      return 1;
    }
    if (opcode >= 0xb8 && opcode < 0xc0) {
      return wide ? 8 : immediate;
    }
    if (opcode >= 0xd8 && opcode < 0xe0) {
      return modRm(code, i); // x87
    }
    if (opcode >= 0xe0 && opcode < 0xe8) {
      return 1; // loops, ports
    }
    return switch (opcode) {
      case 0x63 -> modRm(code, i);
      case 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f -> modRm(code, i);
      case 0xd0, 0xd1, 0xd2, 0xd3, 0xfe, 0xff -> modRm(code, i);
      case 0x80, 0x83, 0x6b, 0xc0, 0xc1, 0xc6 -> plus(modRm(code, i), 1);
      case 0x81, 0x69, 0xc7 -> plus(modRm(code, i), immediate);
      case 0xf6 -> plus(modRm(code, i), isTest(code, i) ? 1 : 0);
      case 0xf7 -> plus(modRm(code, i), isTest(code, i) ? immediate : 0);
      case 0x68, 0xa9 -> immediate;
      case 0xe8, 0xe9 -> 4;
      case 0x6a, 0xa8, 0xcd, 0xeb -> 1;
      case 0xc2 -> 2;
      case 0xc8 -> 3;
      case 0xa0, 0xa1, 0xa2, 0xa3 -> 8;
      case 0x6c, 0x6d, 0x6e, 0x6f, 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf -> 0;
      case 0xc3, 0xc9, 0xcc, 0xd7, 0xec, 0xed, 0xee, 0xef -> 0;
      case 0xf1, 0xf4, 0xf5, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd -> 0;
      default -> -1;
    };
  }

  private static boolean isTest(byte[] code, int i) {
    return i < code.length && (code[i] & 0x30) == 0;
  }

  private static int twoByte(byte[] code, int i) {
    if (i >= code.length) {
      return -1;
    }
    int opcode = Bytes.u8(code, i);
    if (opcode >= 0x80 && opcode < 0x90) {
      return 5;
    }
    if (opcode >= 0x30 && opcode < 0x38 || opcode >= 0xc8 && opcode < 0xd0) {
      return 1; // rdtsc and its like; bswap
    }
    return switch (opcode) {
      case 0x05, 0x06, 0x07, 0x08, 0x09, 0x0b, 0x77, 0xa0, 0xa1, 0xa2, 0xa8, 0xa9, 0xaa -> 1;
      case 0x38 -> plus(modRm(code, i + 2), 2);
      case 0x3a -> plus(modRm(code, i + 2), 3);
      default -> plus(modRm(code, i + 1), hasImmediate8(opcode) ? 2 : 1);
    };
  }

  /** Of the opcodes behind 0f: shuffles and shifts by a constant, compares, inserts, bit tests. */
  private static boolean hasImmediate8(int opcode) {
    return opcode >= 0x70 && opcode < 0x74
        || opcode == 0xa4
        || opcode == 0xac
        || opcode == 0xba
        || opcode == 0xc2
        || opcode >= 0xc4 && opcode < 0xc7;
  }

  /** Bytes of ModRM, SIB and displacement. */
  private static int modRm(byte[] code, int i) {
    if (i >= code.length) {
      return -1;
    }
    int modrm = Bytes.u8(code, i);
    int mode = modrm >> 6;
    int rm = modrm & 7;
    if (mode == 3) {
      return 1;
    }
    boolean sib = rm == 4;
    boolean baseless =
        mode == 0 && (rm == 5 || sib && i + 1 < code.length && (code[i + 1] & 7) == 5);
    int displacement = mode == 1 ? 1 : mode == 2 || baseless ? 4 : 0;
    return 1 + (sib ? 1 : 0) + displacement;
  }

  private static int plus(int length, int more) {
    return length < 0 ? -1 : length + more;
  }
}
