package io.jebpf.symbolizer;

/**
 * The numbers of a raw frame, as {@code bpf/src/main/c/jebpf_types.h} defines them (this module
 * does not depend on {@code bpf}; a test of {@code agent} compares both).
 *
 * <pre>
 *   head: kind &lt;&lt; 56 | flags &lt;&lt; 48 | addr (48 bits)     detail: by kind
 * </pre>
 */
public final class RawFrame {
  /** addr: pc. detail: module number, 0 when the kernel knew no mapping. */
  public static final int NATIVE = 1;

  /** addr: nmethod. detail: compile id &lt;&lt; 32 | pc - code begin. */
  public static final int COMPILED = 2;

  /** addr: Method*. detail: bci &lt;&lt; 48 | what tells it from the next in its place. */
  public static final int INTERPRETED = 3;

  /** Native method wrapper: as COMPILED. */
  public static final int WRAPPER = 4;

  /** addr: CodeBlob*. detail: pc - CodeBlob*. */
  public static final int STUB = 5;

  /** Interpreter code without a Java frame. addr: pc. */
  public static final int INTERPRETER = 6;

  /** addr: enum jebpf_end. detail: its argument. */
  public static final int MARKER = 7;

  /** addr of the marker of a stack that ends where memory could not be read. */
  static final int READ_FAULT = 6;

  /** Flag: the pc is exact, not a return address. */
  public static final int EXACT = 1;

  public static final int BCI_UNKNOWN = 0xffff;

  private static final long ADDRESS_MASK = (1L << 48) - 1;

  private RawFrame() {}

  public static int kind(long head) {
    return (int) (head >>> 56);
  }

  public static boolean exact(long head) {
    return (head >>> 48 & EXACT) != 0;
  }

  public static long address(long head) {
    return head & ADDRESS_MASK;
  }

  public static long head(int kind, int flags, long address) {
    return (long) kind << 56 | (long) flags << 48 | address & ADDRESS_MASK;
  }

  /** The address that could not be read, of a marker that says so; else 0. */
  public static long unread(long head, long detail) {
    return kind(head) == MARKER && address(head) == READ_FAULT ? detail & ADDRESS_MASK : 0;
  }

  /** Bytecode index of an interpreted frame. */
  public static int bci(long detail) {
    return (int) (detail >>> 48);
  }

  /** What tells the method of an interpreted frame from another in its place; not an address. */
  public static long identity(long detail) {
    return detail & ADDRESS_MASK;
  }

  /** Compile id of a compiled frame. */
  public static int compileId(long detail) {
    return (int) (detail >>> 32);
  }

  /** pc - code begin of a compiled frame. */
  public static int pcOffset(long detail) {
    return (int) detail;
  }
}
