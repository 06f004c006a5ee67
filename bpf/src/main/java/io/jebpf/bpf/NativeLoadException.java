package io.jebpf.bpf;

/**
 * The native libraries could not be loaded. One line: every place that was tried, why not, what to
 * do.
 */
public final class NativeLoadException extends Exception {
  private static final long serialVersionUID = 1L;

  NativeLoadException(String message) {
    super(message);
  }
}
