package io.jebpf.symbolizer.demangle;

/**
 * Thrown inside of this package when a name is not a mangled one after all or exceeds a limit;
 * never leaves it. One instance without a stack trace: it is control flow.
 */
final class Malformed extends RuntimeException {
  static final Malformed INSTANCE = new Malformed();
  private static final long serialVersionUID = 1L;

  private Malformed() {
    super("not a mangled name", null, false, false);
  }
}
