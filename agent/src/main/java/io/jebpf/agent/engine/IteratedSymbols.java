package io.jebpf.agent.engine;

import io.jebpf.bpf.KernelException;
import io.jebpf.bpf.KernelSymbolText;
import io.jebpf.bpf.NativeRuntime;
import io.jebpf.symbolizer.kernel.KernelSymbolSource;
import java.io.IOException;
import java.io.InputStream;

/** The kernel's symbols by a BPF iterator, for where {@code /proc/kallsyms} hides them. */
public record IteratedSymbols(NativeRuntime runtime) implements KernelSymbolSource {
  @Override
  public InputStream open() throws IOException {
    try {
      return KernelSymbolText.open(runtime);
    } catch (KernelException e) {
      throw new IOException(e.getMessage(), e);
    }
  }
}
