package io.jebpf.symbolizer.elf;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The slots (GOT) into which the dynamic linker writes addresses of functions of other objects. */
public final class ElfImports {
  private static final int RELOCATION_BYTES = 24;
  private static final int IMPORTS_MAX = 4096;
  private static final int NAME_BYTES_MAX = 256;

  private ElfImports() {}

  /** {@code slot}: virtual address of the word that gets the address of {@code symbol}. */
  public record Import(long slot, String symbol) {}

  /** Imports called through the procedure linkage table; empty in memory (found by section). */
  public static List<Import> of(ElfImage image) {
    Optional<ElfCursor> relocations = image.section(".rela.plt").flatMap(image::cursor);
    Optional<ElfSymbols.Table> table = ElfSymbols.dynamicTable(image, ElfSymbols.CHUNK_BYTES);
    List<Import> imports = new ArrayList<>();
    if (relocations.isEmpty() || table.isEmpty()) {
      return imports;
    }
    ElfCursor in = relocations.get();
    ElfCursor symbols = table.get().symbols();
    while (in.remaining() >= RELOCATION_BYTES && imports.size() < IMPORTS_MAX && !in.failed()) {
      long slot = in.u64();
      long symbol = in.u64() >>> 32;
      in.u64();
      if (symbol > 0 && symbol < table.get().count()) { // 0: an indirect function of its own
        symbols.seek(symbol * ElfSymbols.SYMBOL_BYTES);
        String name = ElfImage.string(table.get().strings(), symbols.u32(), NAME_BYTES_MAX);
        if (!name.isEmpty() && !symbols.failed()) {
          imports.add(new Import(slot, name));
        }
      }
    }
    return imports;
  }
}
