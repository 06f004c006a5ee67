package io.jebpf.symbolizer.unwind;

import io.jebpf.symbolizer.elf.ElfCursor;
import io.jebpf.symbolizer.elf.ElfMachine;
import java.util.Arrays;

/**
 * Executes call frame instructions and keeps what an unwinder of ours needs of their state: the
 * rules of the CFA, the frame pointer and the return address; those of other registers are decoded
 * and dropped. Used for one image, by one thread.
 *
 * <p>On aarch64, code that still has its return address in the link register has no form in {@code
 * jebpf_types.h} yet, and gets {@link UnwindRule#NONE}.
 */
final class CfaMachine {
  /** Called at each row: the rule holds from this address. */
  interface Rows {
    void row(long address);
  }

  /** Compilers nest remember/restore one or two deep. */
  private static final int SAVED_STATES_MAX = 16;

  private static final int CFA_KIND = 0;
  private static final int CFA_OFFSET = 1;
  private static final int FRAME_KIND = 2;
  private static final int FRAME_OFFSET = 3;
  private static final int RETURN_KIND = 4;
  private static final int RETURN_OFFSET = 5;
  private static final int STATE_INTS = 6;

  // CFA_KIND: a register's number, or one of these
  private static final int CFA_UNKNOWN = -1;
  private static final int CFA_DEREF_STACK = -2;
  private static final int CFA_DEREF_FRAME = -3;
  private static final int CFA_PLT = -4;
  private static final int CFA_DEREF_STACK_8 = -5;

  // FRAME_KIND and RETURN_KIND
  private static final int SAME = 0;
  private static final int AT_CFA = 1;
  private static final int UNDEFINED = 2;
  private static final int OTHER = 3;
  private static final int AT_STACK_POINTER = 4;
  private static final int AT_FRAME_POINTER = 5;

  private final ElfMachine machine;
  private final long sectionAddress;
  private final Expression expression;
  private final int[] state = new int[STATE_INTS];
  private final int[] initial = new int[STATE_INTS];
  private final int[] saved = new int[SAVED_STATES_MAX * STATE_INTS];
  private final int[] last = new int[STATE_INTS];
  private final UnwindRule[] seen = new UnwindRule[256];
  private UnwindRule lastRule = UnwindRule.NONE;
  private int savedCount;
  private int returnColumn;
  private long address;

  CfaMachine(ElfMachine machine, long sectionAddress) {
    this.machine = machine;
    this.sectionAddress = sectionAddress;
    this.expression = new Expression(machine);
    last[CFA_KIND] = CFA_UNKNOWN;
  }

  /** Starts a function: runs its CIE's instructions. False when they are not understood. */
  boolean begin(Cie cie, ElfCursor in) {
    Arrays.fill(state, 0);
    state[CFA_KIND] = CFA_UNKNOWN;
    savedCount = 0;
    returnColumn = cie.returnColumn();
    in.seek(cie.instructions());
    boolean understood = run(cie, in, cie.end(), 0, Long.MAX_VALUE, row -> {});
    System.arraycopy(state, 0, initial, 0, STATE_INTS);
    return understood;
  }

  /** Restores the state that {@link #begin} found for the same CIE. */
  void begin(int[] initialState, int column) {
    System.arraycopy(initialState, 0, initial, 0, STATE_INTS);
    System.arraycopy(initialState, 0, state, 0, STATE_INTS);
    savedCount = 0;
    returnColumn = column;
  }

  int[] initialState() {
    return initial.clone();
  }

  /**
   * Runs instructions from the cursor's position to {@code end}; calls {@code rows} before the
   * address moves on. False at an instruction that is damaged or not understood: the rest of the
   * function is then unknown.
   */
  boolean run(Cie cie, ElfCursor in, long end, long start, long limit, Rows rows) {
    address = start;
    while (in.position() < end) {
      int code = in.u8();
      int low = code & 0x3f;
      long delta = -1;
      switch (code & 0xc0) {
        case 0x40 -> delta = low;
        case 0x80 -> saveAt(low, in.uleb() * cie.dataAlign());
        case 0xc0 -> restore(low);
        default -> {
          switch (low) {
            case 0x01 -> {
              long target = Pointer.read(in, cie.pointerEncoding(), sectionAddress);
              if (Long.compareUnsigned(target, address) < 0) {
                return false;
              }
              rows.row(address);
              address = target;
            }
            case 0x02 -> delta = in.u8();
            case 0x03 -> delta = in.u16();
            case 0x04 -> delta = in.u32();
            default -> {
              if (!other(low, cie, in)) {
                return false;
              }
            }
          }
        }
      }
      if (in.failed()) {
        return false;
      }
      if (delta >= 0) {
        if (delta > 0) {
          rows.row(address);
        }
        address += delta * cie.codeAlign();
        if (address - start < 0 || Long.compareUnsigned(address, limit) >= 0) {
          return true; // past the function's end
        }
      }
    }
    rows.row(address);
    return true;
  }

  private boolean other(int code, Cie cie, ElfCursor in) {
    switch (code) {
      case 0x00, 0x2d -> {} // nop; aarch64: the return address's signature changes
      case 0x05 -> saveAt(in.uleb(), in.uleb() * cie.dataAlign());
      case 0x06 -> restore(in.uleb());
      case 0x07 -> set(in.uleb(), UNDEFINED, 0);
      case 0x08 -> set(in.uleb(), SAME, 0);
      case 0x09 -> {
        long register = in.uleb();
        in.uleb();
        set(register, OTHER, 0);
      }
      case 0x0a -> {
        if (savedCount == SAVED_STATES_MAX) {
          return false;
        }
        System.arraycopy(state, 0, saved, savedCount++ * STATE_INTS, STATE_INTS);
      }
      case 0x0b -> {
        if (savedCount == 0) {
          return false;
        }
        System.arraycopy(saved, --savedCount * STATE_INTS, state, 0, STATE_INTS);
      }
      case 0x0c -> cfa(in.uleb(), in.uleb());
      case 0x0d -> cfa(in.uleb(), state[CFA_OFFSET]);
      case 0x0e -> cfa(state[CFA_KIND], in.uleb());
      case 0x0f -> cfaExpression(in);
      case 0x10 -> {
        long register = in.uleb();
        expression.read(in);
        savedByExpression(register);
      }
      case 0x11 -> saveAt(in.uleb(), in.sleb() * cie.dataAlign());
      case 0x12 -> cfa(in.uleb(), in.sleb() * cie.dataAlign());
      case 0x13 -> cfa(state[CFA_KIND], in.sleb() * cie.dataAlign());
      case 0x14, 0x15 -> { // the value, not where it is saved: seen for rsp only
        long register = in.uleb();
        in.uleb();
        set(register, OTHER, 0);
      }
      case 0x16 -> {
        long register = in.uleb();
        expression.read(in);
        set(register, OTHER, 0);
      }
      case 0x2e -> in.uleb(); // bytes of arguments pushed; for exception handling
      case 0x2f -> saveAt(in.uleb(), -in.uleb() * cie.dataAlign());
      default -> {
        return false;
      }
    }
    return true;
  }

  private void cfa(long register, long offset) {
    boolean fits = register < 256 && register >= CFA_DEREF_STACK_8 && offset == (int) offset;
    state[CFA_KIND] = fits ? (int) register : CFA_UNKNOWN;
    state[CFA_OFFSET] = (int) offset;
  }

  private void cfaExpression(ElfCursor in) {
    expression.read(in);
    state[CFA_OFFSET] = expression.offset();
    state[CFA_KIND] =
        switch (expression.kind()) {
          case UNKNOWN -> CFA_UNKNOWN;
          case REGISTER -> expression.register();
          case DEREF_STACK -> CFA_DEREF_STACK;
          case DEREF_STACK_8 -> CFA_DEREF_STACK_8;
          case DEREF_FRAME -> CFA_DEREF_FRAME;
          case PLT -> CFA_PLT;
        };
  }

  private void savedByExpression(long register) {
    int kind = OTHER;
    if (expression.kind() == Expression.Kind.REGISTER) {
      if (expression.register() == machine.framePointer()) {
        kind = AT_FRAME_POINTER;
      } else if (expression.register() == machine.stackPointer()) {
        kind = AT_STACK_POINTER;
      }
    }
    set(register, kind, expression.offset());
  }

  private void saveAt(long register, long offset) {
    boolean fits = offset == (int) offset;
    set(register, fits ? AT_CFA : OTHER, fits ? (int) offset : 0);
  }

  private void set(long register, int kind, int offset) {
    if (register == machine.framePointer()) {
      state[FRAME_KIND] = kind;
      state[FRAME_OFFSET] = offset;
    } else if (register == returnColumn) {
      state[RETURN_KIND] = kind;
      state[RETURN_OFFSET] = offset;
    }
  }

  private void restore(long register) {
    if (register == machine.framePointer()) {
      state[FRAME_KIND] = initial[FRAME_KIND];
      state[FRAME_OFFSET] = initial[FRAME_OFFSET];
    } else if (register == returnColumn) {
      state[RETURN_KIND] = initial[RETURN_KIND];
      state[RETURN_OFFSET] = initial[RETURN_OFFSET];
    }
  }

  /** The address that {@link #run} has come to. */
  long address() {
    return address;
  }

  /** The present state as a rule. */
  UnwindRule rule() {
    if (!Arrays.equals(state, last)) {
      System.arraycopy(state, 0, last, 0, STATE_INTS);
      lastRule = convert();
    }
    return lastRule;
  }

  private UnwindRule convert() {
    if (state[RETURN_KIND] == UNDEFINED) {
      return UnwindRule.ROOT;
    }
    int offset = state[CFA_OFFSET];
    if (state[CFA_KIND] == CFA_DEREF_STACK) {
      boolean whole =
          state[RETURN_KIND] == AT_STACK_POINTER && state[FRAME_KIND] == AT_STACK_POINTER;
      return whole
          ? shared(
              UnwindRule.CFA_SIGNAL,
              offset,
              UnwindRule.RBP_CFA,
              state[FRAME_OFFSET],
              state[RETURN_OFFSET])
          : UnwindRule.NONE;
    }
    int cfa = cfaBase(state[CFA_KIND]);
    if (cfa == UnwindRule.CFA_NONE || state[RETURN_KIND] != AT_CFA) {
      return UnwindRule.NONE;
    }
    int returnOffset = state[RETURN_OFFSET];
    return switch (state[FRAME_KIND]) {
      case SAME -> shared(cfa, offset, UnwindRule.RBP_SAME, 0, returnOffset);
      case AT_CFA -> shared(cfa, offset, UnwindRule.RBP_CFA, state[FRAME_OFFSET], returnOffset);
      case AT_FRAME_POINTER ->
          shared(cfa, offset, UnwindRule.RBP_DEREF_RBP, state[FRAME_OFFSET], returnOffset);
      default -> shared(cfa, offset, UnwindRule.RBP_UNKNOWN, 0, returnOffset);
    };
  }

  /**
   * One object for equal rules, as far as a small table remembers: rules alternate all the time.
   */
  private UnwindRule shared(int cfa, int cfaOffset, int rbp, int rbpOffset, int raOffset) {
    int hash = ((cfa * 31 + cfaOffset) * 31 + rbp) * 31 + rbpOffset;
    int slot = (hash ^ hash >>> 8) & (seen.length - 1);
    UnwindRule rule = seen[slot];
    if (rule != null
        && rule.cfa() == cfa
        && rule.cfaOffset() == cfaOffset
        && rule.rbp() == rbp
        && rule.rbpOffset() == rbpOffset
        && rule.raOffset() == raOffset) {
      return rule;
    }
    return seen[slot] = new UnwindRule(cfa, cfaOffset, rbp, rbpOffset, raOffset);
  }

  private int cfaBase(int kind) {
    if (kind == CFA_DEREF_FRAME) {
      return UnwindRule.CFA_DEREF_RBP;
    }
    if (kind == CFA_DEREF_STACK_8) {
      return UnwindRule.CFA_DEREF_RSP;
    }
    if (kind == CFA_PLT) {
      return UnwindRule.CFA_PLT;
    }
    if (kind == machine.stackPointer()) {
      return UnwindRule.CFA_RSP;
    }
    if (kind == machine.framePointer()) {
      return UnwindRule.CFA_RBP;
    }
    if (machine != ElfMachine.X86_64) {
      return UnwindRule.CFA_NONE;
    }
    return switch (kind) {
      case 0 -> UnwindRule.CFA_RAX;
      case 1 -> UnwindRule.CFA_RDX;
      case 2 -> UnwindRule.CFA_RCX;
      case 3 -> UnwindRule.CFA_RBX;
      case 4 -> UnwindRule.CFA_RSI;
      case 5 -> UnwindRule.CFA_RDI;
      case 10 -> UnwindRule.CFA_R10;
      case 11 -> UnwindRule.CFA_R11;
      default -> UnwindRule.CFA_NONE;
    };
  }
}
