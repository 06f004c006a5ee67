package io.jebpf.symbolizer.elf;

/** Finds the symbol that covers an address. Owner: one thread. */
sealed interface SymbolIndex permits SymbolTable, SymbolScan {
  /** Number of a symbol that covers the virtual address; -1 when none does. */
  int find(long virtualAddress);

  /** Virtual address of a found symbol. */
  long start(int symbol);

  /**
   * The best of the names of a found symbol's address and size, as it is in the file; empty when it
   * cannot be read any more. Reads the file.
   */
  String bestName(int symbol);

  /** Code symbols. */
  int count();

  /** Bytes of heap this holds. */
  long heapBytes();
}
