package io.jebpf.symbolizer.hotspot;

/**
 * The code of {@code ThawBase::finalize_thaw}, by which a slow thaw ends. It moves the chunk's
 * stack pointer and, some instructions later, the size that tells how much was taken out of the
 * chunk: a walk between the two has to know where it is.
 *
 * <pre>
 *   mov [rdx], eax            the stack pointer, in one of two places
 *   …
 *   call address_field_put    the pc
 *   sub [r13+rdx], eax        the size
 * </pre>
 *
 * @param low address in the process; 0 when the library has no symbol table
 * @param moved behind the first of the two stores; 0 when the code looks otherwise
 * @param movedLast behind the second
 */
record ThawEnd(long low, long high, long moved, long movedLast) {
  private static final int CODE_BYTES_MAX = 4096;
  private static final int CALL = 0xe8;
  private static final int CALL_BYTES = 5;
  private static final int STORE = 0x89;
  private static final int STORE_BYTES = 2;

  /** From the store to the call: 22 bytes in JDK 21, 25 and 28. */
  private static final int STORE_REACH = 40;

  private static final ThawEnd NONE = new ThawEnd(0, 0, 0, 0);

  static ThawEnd find(TargetMemory memory, LibjvmImage libjvm) {
    long low = libjvm.address(LibjvmNames.FINALIZE_THAW).orElse(0);
    long bytes = libjvm.bytes(LibjvmNames.FINALIZE_THAW);
    long put = libjvm.address(LibjvmNames.ADDRESS_FIELD_PUT).orElse(0);
    if (low == 0 || bytes < CALL_BYTES || bytes > CODE_BYTES_MAX) {
      return NONE;
    }
    byte[] code = new byte[(int) bytes];
    memory.begin();
    boolean read = memory.bytes(low, code, 0, code.length);
    long[] behind = new long[2];
    int stores = 0;
    for (int i = 0; read && i + CALL_BYTES <= code.length; i++) {
      boolean calls =
          (code[i] & 0xff) == CALL && low + i + CALL_BYTES + Bytes.i32(code, i + 1) == put;
      int store = calls ? storeBefore(code, i) : 0;
      if (store > 0 && stores < 2) {
        behind[stores++] = low + store + STORE_BYTES;
      }
    }
    return stores == 2
        ? new ThawEnd(low, low + bytes, behind[0], behind[1])
        : new ThawEnd(low, low + bytes, 0, 0);
  }

  /** Index of the last store of 32 bits to where a register points; 0: there is none near. */
  private static int storeBefore(byte[] code, int call) {
    for (int i = call - STORE_BYTES; i > Math.max(call - STORE_REACH, 0); i--) {
      int operands = code[i + 1] & 0xff;
      boolean prefixed = (code[i - 1] & 0xf0) == 0x40;
      boolean plain = operands >> 6 == 0 && (operands & 7) != 4 && (operands & 7) != 5;
      if ((code[i] & 0xff) == STORE && plain && !prefixed) {
        return i;
      }
    }
    return 0;
  }

  void write(KnobSink sink) {
    sink.knob("thaw_end_low", low);
    sink.knob("thaw_end_high", high);
    sink.knob("thaw_moved", moved);
    sink.knob("thaw_moved_last", movedLast);
  }
}
