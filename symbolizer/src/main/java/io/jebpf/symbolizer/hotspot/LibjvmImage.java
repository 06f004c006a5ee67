package io.jebpf.symbolizer.hotspot;

import java.util.OptionalLong;

/**
 * What this package needs to know of the mapped {@code libjvm.so}. Symbols come from {@code
 * .dynsym} or, where it is there, {@code .symtab}; version suffixes ({@code @...}) are stripped.
 */
public interface LibjvmImage {
  /** Address in the process of a defined symbol. */
  OptionalLong address(String symbol);

  /** Size in bytes of what a defined symbol names; 0 when it is unknown. */
  long bytes(String symbol);

  /** Offset of a thread-local symbol in libjvm's TLS block (its {@code st_value}). */
  OptionalLong tlsOffset(String symbol);

  /**
   * Address in the process of a GOT word that holds libjvm's TLS module id: the target of an {@code
   * R_X86_64_DTPMOD64} relocation without symbol.
   */
  OptionalLong tlsModuleIdSlot();

  /** Where the library's read-only data (string literals) is mapped: start, or 0 when unknown. */
  long readOnlyStart();

  /** Exclusive end of the read-only data. */
  long readOnlyEnd();
}
