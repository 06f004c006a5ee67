package io.jebpf.symbolizer.hotspot;

/**
 * Which of the compiler's two records around an address in compiled code speaks for it (x86-64).
 *
 * <p>The JVM takes the next record at or behind the address. But a compiler leaves a record where
 * the last operation of a group begins, not where it ends: the rest of an epilogue, or the moves
 * before a jump, lie behind their own record, and the next one is that of another branch, of calls
 * that may never have happened. Control does not pass a return or a jump, so neither does a record.
 */
final class StraightLine {
  enum Speaker {
    /** The first record at or behind the address, as the JVM has it. */
    NEXT,
    /** The last record before the address. */
    PREVIOUS,
    /** No record is in the block of the address. */
    NEITHER
  }

  /** Other machines' code is not read. */
  static final boolean IS_KNOWN = System.getProperty("os.arch").equals("amd64");

  /** Records further apart are taken as the JVM does. */
  static final int BYTES_MAX = 512;

  private StraightLine() {}

  /**
   * @param code from the previous record (or the code's begin) up to the next record; up to the
   *     address where no record follows; empty: unknown
   * @param at the address's index in it
   * @param c1 whether C1 compiled it, which leaves the record of what was before a jump at the
   *     label behind the jump
   */
  static Speaker at(byte[] code, int at, boolean c1) {
    boolean endedBefore = false;
    boolean metAddress = false;
    boolean endsBehind = at == code.length;
    int i = 0;
    while (i < code.length) {
      metAddress |= i == at;
      int length = X86.length(code, i);
      if (length == 0) {
        return Speaker.NEXT;
      }
      boolean ofNext = c1 && i + length == code.length && isDirectJump(code, i);
      boolean ends = X86.endsBlock(code, i, length) && !ofNext;
      endedBefore |= ends && i < at;
      endsBehind |= ends && i >= at;
      i += length;
    }
    metAddress |= i == at;
    if (code.length == 0 || !metAddress || !endsBehind) {
      return Speaker.NEXT;
    }
    return endedBefore ? Speaker.NEITHER : Speaker.PREVIOUS;
  }

  /**
   * Whether a record of C1 belongs to the block before it alone: a jump precedes it that has no
   * record of its own.
   *
   * @param code from the previous record up to the record that is asked about
   */
  static boolean endsWithUnrecordedJump(byte[] code) {
    int i = 0;
    int last = 0;
    while (i < code.length) {
      int length = X86.length(code, i);
      if (length == 0) {
        return false;
      }
      last = i;
      i += length;
    }
    return last > 0 && isDirectJump(code, last);
  }

  private static boolean isDirectJump(byte[] code, int at) {
    return X86.isDirectJump(Bytes.u8(code, at));
  }
}
