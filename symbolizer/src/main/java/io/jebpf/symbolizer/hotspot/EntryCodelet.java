package io.jebpf.symbolizer.hotspot;

/**
 * Where, inside a method entry of the interpreter, the frame comes into being (x86-64):
 *
 * <pre>
 *   ...                          return address at [rsp]
 *   pop rax; lea r14,[rsp+rcx*8-8]
 *   (push 0)*                    locals; return address in rax
 *   push rax; push rbp; mov rbp,rsp
 *   push r13; push 0; push rbx; ... nine words in all, the ninth by push imm32
 *   [mov [rsp],rsp]              17 and 21: the ninth is an address
 *   built:                       the rbp frame is complete
 * </pre>
 *
 * Offsets from the codelet's start; {@link #NONE} where the entry builds no frame (intrinsics).
 */
record EntryCodelet(long start, int bytes, int popRax, int pushRax, int built) {
  /** As in the kernel's knobs. */
  static final int NONE = 0xffff_ffff;

  private static final int CODELET_BYTES_MAX = 1 << 16;
  private static final int SLOTS = 9;
  private static final byte[] POP_RAX_LEA_LOCALS = {0x58, 0x4c, (byte) 0x8d, 0x74, (byte) 0xcc};
  private static final byte[] PUSH_RAX_ENTER = {0x50, 0x55, 0x48, (byte) 0x8b, (byte) 0xec};
  private static final byte[] STORE_RSP = {0x48, (byte) 0x89, 0x24, 0x24};

  static EntryCodelet of(TargetMemory memory, Interpreter.Codelet codelet) {
    int bytes = codelet.bytes();
    byte[] code = new byte[Math.min(bytes, CODELET_BYTES_MAX)];
    memory.begin();
    if (!memory.bytes(codelet.start(), code, 0, code.length)) {
      return new EntryCodelet(codelet.start(), bytes, NONE, NONE, NONE);
    }
    return decode(codelet.start(), code, bytes);
  }

  static EntryCodelet decode(long start, byte[] code, int bytes) {
    int pushRax = indexOf(code, PUSH_RAX_ENTER, 0);
    int popRax = indexOf(code, POP_RAX_LEA_LOCALS, 0);
    if (pushRax < 0 || popRax < 0 || popRax > pushRax) {
      return new EntryCodelet(start, bytes, NONE, NONE, NONE);
    }
    return new EntryCodelet(
        start, bytes, popRax, pushRax, built(code, pushRax + PUSH_RAX_ENTER.length));
  }

  /**
   * Follows the code in a straight line. A GC barrier on the way may save registers and restore
   * them, so the depth is a net count, and the ninth word must be written by {@code push imm32}.
   */
  private static int built(byte[] code, int from) {
    int words = 0;
    for (int at = from; at < code.length; ) {
      int length = X86.length(code, at);
      if (length <= 0 || at + length > code.length) {
        return NONE;
      }
      words += X86.wordsPushed(code, at, length);
      int next = at + length;
      if (words == SLOTS && code[at] == 0x68) {
        return indexOf(code, STORE_RSP, next) == next ? next + STORE_RSP.length : next;
      }
      at = next;
    }
    return NONE;
  }

  private static int indexOf(byte[] code, byte[] pattern, int from) {
    for (int at = from; at + pattern.length <= code.length; at++) {
      int same = 0;
      while (same < pattern.length && code[at + same] == pattern[same]) {
        same++;
      }
      if (same == pattern.length) {
        return at;
      }
    }
    return -1;
  }
}
