package io.jebpf.symbolizer.elf;

/**
 * Finds symbols by looking through the whole table of the file each time: 24 MB and about 20 ms for
 * a million symbols, instead of 12 MB of heap. For the few libraries (of machine learning, of
 * browsers) that have so many; the caller keeps the answers.
 *
 * <p>Symbols without a size name only their first byte here.
 */
final class SymbolScan implements SymbolIndex {
  private static final int NAME_BYTES_MAX = 16 * 1024;

  private final ElfImage image;
  private final ElfSymbols.Table table;
  private long foundStart;

  SymbolScan(ElfImage image, ElfSymbols.Table table) {
    this.image = image;
    this.table = table;
  }

  @Override
  public int find(long virtualAddress) {
    ElfCursor in = table.symbols();
    in.forget();
    in.seek(0);
    int found = -1;
    for (int i = 0; i < table.count(); i++) {
      in.u32();
      int type = in.u8() & 15;
      in.u8();
      int section = in.u16();
      long start = in.u64();
      long bytes = in.u64();
      if (in.failed()) {
        break;
      }
      boolean covers = Long.compareUnsigned(virtualAddress - start, Math.max(bytes, 1)) < 0;
      boolean nearer = found < 0 || Long.compareUnsigned(start, foundStart) > 0;
      if (covers && nearer && SymbolTable.isCode(image, type, section, start)) {
        found = i;
        foundStart = start;
      }
    }
    in.forget();
    return found;
  }

  @Override
  public long start(int symbol) {
    return foundStart; // asked for right after find
  }

  @Override
  public String bestName(int symbol) {
    ElfCursor in = table.symbols();
    in.seek((long) symbol * ElfSymbols.SYMBOL_BYTES);
    long nameOffset = in.u32();
    String name = in.failed() ? "" : ElfImage.string(table.strings(), nameOffset, NAME_BYTES_MAX);
    in.forget();
    table.strings().forget();
    return name;
  }

  @Override
  public int count() {
    return (int) table.count();
  }

  @Override
  public long heapBytes() {
    return ElfSymbols.CHUNK_BYTES;
  }
}
