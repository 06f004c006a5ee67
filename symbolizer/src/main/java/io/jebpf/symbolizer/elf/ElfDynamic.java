package io.jebpf.symbolizer.elf;

import java.util.Optional;

/**
 * Where the dynamic section says its tables are (virtual addresses; 0 when absent).
 *
 * @param symbols address of the dynamic symbol table
 * @param symbolCount entries, from one of the hash tables, else from the section header
 */
record ElfDynamic(
    long symbols,
    long symbolCount,
    long strings,
    long stringBytes,
    long relocations,
    long relocationBytes) {
  /** Chrome's own library exports 100,000; what is more is damage. */
  static final int SYMBOLS_MAX = 1 << 22;

  private static final int ENTRIES_MAX = 1024;
  private static final int ENTRY_BYTES = 16;
  private static final int DT_HASH = 4;
  private static final int DT_STRTAB = 5;
  private static final int DT_SYMTAB = 6;
  private static final int DT_RELA = 7;
  private static final int DT_RELASZ = 8;
  private static final int DT_STRSZ = 10;
  private static final int DT_GNU_HASH = 0x6ffffef5;
  private static final int[] WANTED = {
    DT_HASH, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ, DT_STRSZ, DT_GNU_HASH
  };
  private static final ElfDynamic NONE = new ElfDynamic(0, 0, 0, 0, 0, 0);

  static ElfDynamic read(ElfImage image) {
    Optional<ElfSegment> segment = image.segment(ElfSegment.DYNAMIC);
    if (segment.isEmpty()) {
      return NONE;
    }
    long length = Math.min(segment.get().fileBytes(), ENTRIES_MAX * ENTRY_BYTES);
    Optional<ElfCursor> cursor = image.cursor(segment.get().address(), length);
    if (cursor.isEmpty()) {
      return NONE;
    }
    ElfCursor in = cursor.get();
    long[] values = new long[WANTED.length];
    while (in.remaining() >= ENTRY_BYTES) {
      long tag = in.u64();
      long value = in.u64();
      if (tag == 0 || in.failed()) {
        break;
      }
      for (int i = 0; i < WANTED.length; i++) {
        if (WANTED[i] == tag) {
          values[i] = value;
        }
      }
    }
    return of(image, values);
  }

  private static ElfDynamic of(ElfImage image, long[] values) {
    long hash = unrelocated(image, values[0]);
    long strings = unrelocated(image, values[1]);
    long symbols = unrelocated(image, values[2]);
    long relocations = unrelocated(image, values[3]);
    long gnuHash = unrelocated(image, values[6]);
    long count = hash != 0 ? hashCount(image, hash) : gnuHashCount(image, gnuHash);
    if (count == 0) {
      count = image.section(".dynsym").map(s -> s.bytes() / ElfSymbols.SYMBOL_BYTES).orElse(0L);
    }
    boolean plausible = count > 0 && count <= SYMBOLS_MAX && values[5] > 0;
    return new ElfDynamic(
        symbols, plausible ? count : 0, strings, values[5], relocations, values[4]);
  }

  /**
   * In memory, glibc has added the load bias to the pointers of most objects, but not of the vDSO;
   * musl never does. A value outside the image is a relocated one.
   */
  private static long unrelocated(ElfImage image, long value) {
    if (value == 0 || !image.inMemory() || image.bytesFrom(value) > 0) {
      return value;
    }
    return value - image.memoryBias();
  }

  private static long hashCount(ElfImage image, long address) {
    return image
        .cursor(address, 8, 8)
        .map(
            in -> {
              in.u32();
              return in.u32();
            })
        .orElse(0L);
  }

  /** One more than the highest symbol index in the table's chains. */
  private static long gnuHashCount(ElfImage image, long address) {
    Optional<ElfCursor> cursor = image.cursor(address, image.bytesFrom(address));
    if (address == 0 || cursor.isEmpty()) {
      return 0;
    }
    ElfCursor in = cursor.get();
    long buckets = in.u32();
    long firstSymbol = in.u32();
    long bloomWords = in.u32();
    in.u32();
    in.skip(bloomWords * 8);
    if (in.failed() || buckets > SYMBOLS_MAX || firstSymbol > SYMBOLS_MAX) {
      return 0;
    }
    long last = 0;
    for (long i = 0; i < buckets && !in.failed(); i++) {
      last = Math.max(last, in.u32());
    }
    if (last < firstSymbol) {
      return firstSymbol;
    }
    in.skip((last - firstSymbol) * 4);
    while (!in.failed() && last < SYMBOLS_MAX) {
      last++;
      if ((in.i32() & 1) != 0) {
        return last;
      }
    }
    return 0;
  }
}
