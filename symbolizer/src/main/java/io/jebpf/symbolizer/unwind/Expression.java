package io.jebpf.symbolizer.unwind;

import io.jebpf.symbolizer.elf.ElfCursor;
import io.jebpf.symbolizer.elf.ElfMachine;

/**
 * The few DWARF expressions that occur in {@code .eh_frame}, recognised by shape; we evaluate none.
 */
final class Expression {
  enum Kind {
    UNKNOWN,
    /** register + offset. */
    REGISTER,
    /** [stack pointer + offset]. */
    DEREF_STACK,
    /** [stack pointer + offset] + 8. */
    DEREF_STACK_8,
    /** [frame pointer + offset]. */
    DEREF_FRAME,
    /** The linkage table's: rsp + 8 + ((rip & 15) >= offset ? 8 : 0). */
    PLT
  }

  private static final int BYTES_MAX = 32;
  private static final int OP_DEREF = 0x06;
  private static final int OP_PLUS_UCONST = 0x23;
  private static final int OP_LIT0 = 0x30;
  private static final int OP_BREG0 = 0x70;

  /** breg7 8; breg16 0; lit15; and; then litN; then ge; lit3; shl; plus. */
  private static final int[] PLT_HEAD = {0x77, 0x08, 0x80, 0x00, 0x3f, 0x1a};

  private static final int[] PLT_TAIL = {0x2a, 0x33, 0x24, 0x22};

  private final ElfMachine machine;
  private final byte[] code = new byte[BYTES_MAX];
  private Kind kind = Kind.UNKNOWN;
  private int register;
  private int offset;

  Expression(ElfMachine machine) {
    this.machine = machine;
  }

  Kind kind() {
    return kind;
  }

  int register() {
    return register;
  }

  int offset() {
    return offset;
  }

  /** Reads and consumes an expression block. */
  void read(ElfCursor in) {
    kind = Kind.UNKNOWN;
    register = -1;
    offset = 0;
    long length = in.uleb();
    if (length < 2 || length > BYTES_MAX) {
      in.skip(length);
      return;
    }
    int count = (int) length;
    if (!in.bytes(code, 0, count)) {
      return;
    }
    if (isPlt(count)) {
      kind = Kind.PLT;
      offset = code[PLT_HEAD.length] - OP_LIT0;
      return;
    }
    int base = code[0] - OP_BREG0;
    if (base < 0 || base > 31) {
      return;
    }
    int at = sleb(count);
    register = base;
    if (at == count) {
      kind = Kind.REGISTER;
    } else if (at == count - 1 && code[at] == OP_DEREF) {
      if (base == machine.stackPointer()) {
        kind = Kind.DEREF_STACK;
      } else if (base == machine.framePointer()) {
        kind = Kind.DEREF_FRAME;
      }
    } else if (at == count - 3
        && code[at] == OP_DEREF
        && code[at + 1] == OP_PLUS_UCONST
        && code[at + 2] == 8
        && base == machine.stackPointer()) {
      kind = Kind.DEREF_STACK_8;
    }
  }

  private boolean isPlt(int count) {
    if (machine != ElfMachine.X86_64 || count != PLT_HEAD.length + 1 + PLT_TAIL.length) {
      return false;
    }
    for (int i = 0; i < PLT_HEAD.length; i++) {
      if ((code[i] & 0xff) != PLT_HEAD[i]) {
        return false;
      }
    }
    for (int i = 0; i < PLT_TAIL.length; i++) {
      if ((code[PLT_HEAD.length + 1 + i] & 0xff) != PLT_TAIL[i]) {
        return false;
      }
    }
    int threshold = code[PLT_HEAD.length] - OP_LIT0;
    return threshold >= 0 && threshold < 16;
  }

  /** Decodes the operand at index 1 into {@link #offset}; returns the index after it, or -1. */
  private int sleb(int count) {
    long value = 0;
    for (int i = 1, shift = 0; i < count && shift < 35; i++, shift += 7) {
      value |= (long) (code[i] & 0x7f) << shift;
      if (code[i] >= 0) {
        if ((code[i] & 0x40) != 0) {
          value |= -1L << shift + 7;
        }
        offset = (int) value;
        return i + 1;
      }
    }
    return -1;
  }
}
