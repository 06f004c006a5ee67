package io.jebpf.symbolizer.unwind;

/**
 * How to get from a frame to its caller: one {@code struct jebpf_rule} of {@code jebpf_types.h}.
 * The constants are the values of its enums {@code jebpf_cfa} and {@code jebpf_rbp}.
 */
public record UnwindRule(int cfa, int cfaOffset, int rbp, int rbpOffset, int raOffset) {
  /** No rule. */
  public static final int CFA_NONE = 0;

  /** rsp + cfaOffset. */
  public static final int CFA_RSP = 1;

  /** rbp + cfaOffset. */
  public static final int CFA_RBP = 2;

  /** rsp + 8 + ((rip & 15) >= cfaOffset ? 8 : 0). */
  public static final int CFA_PLT = 3;

  /** Caller's rsp at [rsp + cfaOffset], pc at [rsp + raOffset], rbp at [rsp + rbpOffset]. */
  public static final int CFA_SIGNAL = 4;

  /** The thread's first frame. */
  public static final int CFA_ROOT = 5;

  public static final int CFA_RBX = 6;
  public static final int CFA_RDI = 7;
  public static final int CFA_RDX = 8;
  public static final int CFA_RCX = 9;
  public static final int CFA_R11 = 10;
  public static final int CFA_R10 = 11;

  /** [rbp + cfaOffset]: functions that realign their stack. */
  public static final int CFA_DEREF_RBP = 12;

  /** [rsp + cfaOffset] + 8: hand-written assembly that saves its caller's rsp (OpenSSL's). */
  public static final int CFA_DEREF_RSP = 13;

  public static final int CFA_RAX = 14;
  public static final int CFA_RSI = 15;

  /** The caller's rbp is rbp. */
  public static final int RBP_SAME = 0;

  /** Saved at CFA + rbpOffset. */
  public static final int RBP_CFA = 1;

  public static final int RBP_UNKNOWN = 2;

  /** Saved at rbp + rbpOffset. */
  public static final int RBP_DEREF_RBP = 3;

  /** Of gaps between functions and of what we do not understand. */
  public static final UnwindRule NONE = new UnwindRule(CFA_NONE, 0, RBP_SAME, 0, 0);

  static final UnwindRule ROOT = new UnwindRule(CFA_ROOT, 0, RBP_SAME, 0, 0);

  /** Right after a call, and in linkage table slots: the return address is on top. */
  static final UnwindRule CALLED = new UnwindRule(CFA_RSP, 8, RBP_SAME, 0, -8);

  // Written out: what the compiler makes for records costs classes at run time.

  @Override
  public boolean equals(Object other) {
    return other instanceof UnwindRule rule
        && cfa == rule.cfa
        && cfaOffset == rule.cfaOffset
        && rbp == rule.rbp
        && rbpOffset == rule.rbpOffset
        && raOffset == rule.raOffset;
  }

  @Override
  public int hashCode() {
    return (((cfa * 31 + cfaOffset) * 31 + rbp) * 31 + rbpOffset) * 31 + raOffset;
  }
}
