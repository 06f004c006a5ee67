package io.jebpf.symbolizer.hotspot;

/**
 * Lengths and stack effects of the x86-64 instructions that HotSpot's frame-building code uses.
 * Deliberately not a disassembler: an opcode outside this set has length 0 and the caller gives up.
 */
final class X86 {
  private X86() {}

  /** Bytes of the instruction at {@code at}; 0 when it is not one of those known here. */
  static int length(byte[] code, int at) {
    int i = at;
    while (i < code.length && isLegacyPrefix(Bytes.u8(code, i))) {
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
    if (isVex(opcode)) {
      return vex(code, at, i, opcode);
    }
    int tail = opcode == 0x0f ? twoByte(code, i) : oneByte(code, i, opcode, wide);
    return tail < 0 ? 0 : i + tail - at;
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
    return b == 0x66 || b == 0xf2 || b == 0xf3 || b == 0xf0 || b == 0x2e || b == 0x64 || b == 0x65;
  }

  private static boolean isVex(int opcode) {
    return opcode == 0xc5 || opcode == 0xc4 || opcode == 0x62;
  }

  /** Vector moves: all have a ModRM byte; those with an immediate are not used here. */
  private static int vex(byte[] code, int at, int i, int opcode) {
    int opcodeAt = i + (opcode == 0xc5 ? 1 : opcode == 0xc4 ? 2 : 3);
    if (opcodeAt >= code.length) {
      return 0;
    }
    if (opcode == 0xc5 && code[opcodeAt] == 0x77) {
      return opcodeAt + 1 - at; // vzeroupper
    }
    int tail = modRm(code, opcodeAt + 1);
    return tail < 0 ? 0 : opcodeAt + 1 + tail - at;
  }

  private static int oneByte(byte[] code, int i, int opcode, boolean wide) {
    if (opcode < 0x40 && (opcode & 7) < 4) {
      return modRm(code, i); // add, or, adc, sbb, and, sub, xor, cmp between register and memory
    }
    if (opcode >= 0x50 && opcode < 0x60 || opcode == 0x90 || opcode == 0xc3 || opcode == 0xc9) {
      return 0;
    }
    if (opcode >= 0x70 && opcode < 0x80 || opcode == 0xeb || opcode == 0x6a || opcode == 0xa8) {
      return 1;
    }
    if (opcode >= 0xb8 && opcode < 0xc0) {
      return wide ? 8 : 4;
    }
    return switch (opcode) {
      case 0x63, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8d, 0xd1, 0xd3, 0xfe, 0xff ->
          modRm(code, i);
      case 0x80, 0x83, 0x6b, 0xc0, 0xc1, 0xc6 -> plus(modRm(code, i), 1);
      case 0x81, 0x69, 0xc7 -> plus(modRm(code, i), 4);
      case 0xf6 -> plus(modRm(code, i), i < code.length && (code[i] & 0x38) == 0 ? 1 : 0);
      case 0xf7 -> plus(modRm(code, i), i < code.length && (code[i] & 0x38) == 0 ? 4 : 0);
      case 0x68, 0xa9, 0xe8, 0xe9 -> 4;
      default -> -1;
    };
  }

  private static int twoByte(byte[] code, int i) {
    if (i >= code.length) {
      return -1;
    }
    int opcode = Bytes.u8(code, i);
    if (opcode >= 0x80 && opcode < 0x90) {
      return 5;
    }
    boolean conditional = opcode >= 0x40 && opcode < 0x50 || opcode >= 0x90 && opcode < 0xa0;
    return switch (opcode) {
      case 0x10, 0x11, 0x1f, 0x28, 0x29, 0x6f, 0x7f, 0xaf, 0xb0, 0xb1, 0xb6, 0xb7, 0xbe, 0xbf ->
          plus(modRm(code, i + 1), 1);
      default -> conditional ? plus(modRm(code, i + 1), 1) : -1;
    };
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
