package io.jebpf.symbolizer.elf;

/** One section header of a file. */
public record ElfSection(
    String name, int type, long flags, long address, long offset, long bytes, int link) {
  static final int SYMTAB = 2;
  static final int NOBITS = 8;
  static final int DYNSYM = 11;
  static final long FLAG_COMPRESSED = 0x800;
}
