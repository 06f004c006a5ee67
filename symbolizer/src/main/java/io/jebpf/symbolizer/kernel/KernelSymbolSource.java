package io.jebpf.symbolizer.kernel;

import java.io.IOException;
import java.io.InputStream;

/** Another place that has the kernel's symbols, where {@code /proc/kallsyms} hides them. */
@FunctionalInterface
public interface KernelSymbolSource {
  /**
   * The symbols, in the form of {@code /proc/kallsyms}; the caller closes it.
   *
   * @throws IOException there are none to be had; the message says why, in one line
   */
  InputStream open() throws IOException;
}
