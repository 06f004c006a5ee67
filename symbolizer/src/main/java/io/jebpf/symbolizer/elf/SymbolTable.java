package io.jebpf.symbolizer.elf;

import java.util.Arrays;
import java.util.Optional;

/**
 * The code symbols of one symbol table, sorted by address: 12 bytes a symbol. Names stay in the
 * file and are read when asked for. Immutable, but reads through the image's cursor: one thread.
 *
 * <p>What a symbol covers. With a size: its size, not a byte more: a stripped libc exports a few
 * functions only, and whatever lies between them must not get a neighbour's name. Without a size
 * (hand-written assembly whose author left out {@code .size}): up to the next symbol if this is a
 * full table ({@code .symtab}), where the next function is known to be in the table; in a table of
 * exported symbols only its first byte.
 *
 * <p>Several names at one address: see {@link #better}.
 */
final class SymbolTable implements SymbolIndex {
  /** Symbols that may nest around an address (a sized function around local labels). */
  private static final int NESTING_MAX = 32;

  /** Enough for libjvm, so that its table is not copied while it grows. */
  private static final int CAPACITY_FIRST = 1 << 16;

  private static final int NAME_BYTES_MAX = 16 * 1024;

  /** Kept as long as the table; most names fit. */
  private static final int NAME_CHUNK_BYTES = 256;

  private static final int TYPE_NONE = 0;
  private static final int TYPE_FUNCTION = 2;
  private static final int TYPE_INDIRECT_FUNCTION = 10;
  private static final int SECTION_UNDEFINED = 0;
  private static final int SECTION_ABSOLUTE = 0xfff1;

  private final long base;
  private final int[] starts; // offset from base, unsigned
  private final int[] sizes; // bytes, cut at 4 GiB - 1
  private final int[] names; // offset in the string table
  private final boolean full;
  private final ElfCursor strings;

  private SymbolTable(
      long base, int[] starts, int[] sizes, int[] names, boolean full, ElfCursor strings) {
    this.base = base;
    this.starts = starts;
    this.sizes = sizes;
    this.names = names;
    this.full = full;
    this.strings = strings;
  }

  /** More are not collected but looked through each time: see {@link SymbolScan}. */
  static final int SYMBOLS_MAX = 1 << 18;

  /** The index of all symbols, exported and local; empty when the file was stripped of it. */
  static Optional<SymbolIndex> full(ElfImage image) {
    return ElfSymbols.sectionTable(image, ElfSection.SYMTAB, NAME_CHUNK_BYTES)
        .map(t -> t.count() > SYMBOLS_MAX ? new SymbolScan(image, t) : build(image, t, true));
  }

  /** The exported symbols. */
  static Optional<SymbolIndex> dynamic(ElfImage image) {
    return ElfSymbols.dynamicTable(image, NAME_CHUNK_BYTES)
        .map(t -> t.count() > SYMBOLS_MAX ? new SymbolScan(image, t) : build(image, t, false));
  }

  private static SymbolTable build(ElfImage image, ElfSymbols.Table table, boolean full) {
    ElfCursor in = table.symbols();
    long base = image.lowestAddress();
    int capacity = (int) Math.min(table.count(), CAPACITY_FIRST);
    long[] order = new long[capacity]; // start << 32 | index
    int[] sizes = new int[capacity];
    int[] names = new int[capacity];
    int count = 0;
    in.seek(0);
    for (long i = 0; i < table.count(); i++) {
      int name = in.i32();
      int info = in.u8();
      in.u8();
      int section = in.u16();
      long value = in.u64();
      long bytes = in.u64();
      if (in.failed()) {
        break;
      }
      if (!isCode(image, info & 15, section, value) || value - base >>> 32 != 0) {
        continue;
      }
      if (count == order.length) {
        int larger = count + (count >> 1) + 1;
        order = Arrays.copyOf(order, larger);
        sizes = Arrays.copyOf(sizes, larger);
        names = Arrays.copyOf(names, larger);
      }
      order[count] = value - base << 32 | count;
      sizes[count] = (int) (bytes >>> 32 == 0 ? bytes : 0xffff_ffffL);
      names[count] = name;
      count++;
    }
    return sorted(base, order, sizes, names, count, full, table.strings());
  }

  private static SymbolTable sorted(
      long base, long[] order, int[] sizes, int[] names, int count, boolean full, ElfCursor text) {
    for (int i = 0; i < count; i++) {
      order[i] ^= Long.MIN_VALUE; // sorts as unsigned
    }
    Arrays.sort(order, 0, count);
    int[] sortedStarts = new int[count];
    int[] sortedSizes = new int[count];
    int[] sortedNames = new int[count];
    for (int i = 0; i < count; i++) {
      long key = order[i] ^ Long.MIN_VALUE;
      sortedStarts[i] = (int) (key >>> 32);
      sortedSizes[i] = sizes[(int) key];
      sortedNames[i] = names[(int) key];
    }
    return new SymbolTable(base, sortedStarts, sortedSizes, sortedNames, full, text);
  }

  static boolean isCode(ElfImage image, int type, int section, long value) {
    boolean function = type == TYPE_FUNCTION || type == TYPE_INDIRECT_FUNCTION;
    // On aarch64, symbols without a type mark where code and data begin ($x, $d).
    boolean assembly = type == TYPE_NONE && image.machine() == ElfMachine.X86_64;
    return (function || assembly)
        && section != SECTION_UNDEFINED
        && section != SECTION_ABSOLUTE
        && image.isCode(value);
  }

  /** The same with its strings in the given array, which {@code name} offsets are of. */
  SymbolTable withStrings(byte[] contents) {
    ElfCursor own = new ElfCursor(new ArrayBytes(contents), 0, contents.length, NAME_CHUNK_BYTES);
    return new SymbolTable(base, starts, sizes, names, full, own);
  }

  @Override
  public int count() {
    return starts.length;
  }

  @Override
  public long heapBytes() {
    return 12L * starts.length + 2 * NAME_CHUNK_BYTES;
  }

  @Override
  public int find(long virtualAddress) {
    long offset = virtualAddress - base;
    if (offset >>> 32 != 0) {
      return -1;
    }
    int last = floor(offset);
    for (int i = last, steps = 0; i >= 0 && steps < NESTING_MAX; i--, steps++) {
      long start = starts[i] & 0xffff_ffffL;
      long size = sizes[i] & 0xffff_ffffL;
      if (offset - start < size) {
        return i;
      }
    }
    // No sized symbol is around the address: perhaps it is after one without a size.
    if (last >= 0 && covers(last, offset) && !isLabel(last)) {
      return last;
    }
    return -1;
  }

  /** Whether an unsized symbol is inside of a sized one: it ends there at the latest. */
  private boolean isLabel(int unsized) {
    long start = starts[unsized] & 0xffff_ffffL;
    for (int i = unsized, steps = 0; i >= 0 && steps < NESTING_MAX; i--, steps++) {
      if (start - (starts[i] & 0xffff_ffffL) < (sizes[i] & 0xffff_ffffL)) {
        return true;
      }
    }
    return false;
  }

  private boolean covers(int unsized, long offset) {
    int start = starts[unsized];
    for (int i = unsized; i >= 0 && starts[i] == start; i--) {
      if (sizes[i] == 0) {
        return full || offset == (start & 0xffff_ffffL);
      }
    }
    return false;
  }

  /** Greatest index whose start is at most {@code offset}; -1 when there is none. */
  private int floor(long offset) {
    int low = 0;
    int high = starts.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if ((starts[middle] & 0xffff_ffffL) <= offset) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low - 1;
  }

  @Override
  public String bestName(int index) {
    String bestName = "";
    for (int i = index, steps = 0; i >= 0 && steps < NESTING_MAX; i--, steps++) {
      if (starts[i] != starts[index]) {
        break;
      }
      if (sizes[i] == sizes[index]) {
        String name = name(i);
        if (bestName.isEmpty() || better(name, bestName)) {
          bestName = name;
        }
      }
    }
    strings.forget(); // another file may have taken this one's place when we come again
    return bestName;
  }

  /**
   * Whether a name is the one to show of several for the same code: fewer leading underscores
   * ({@code read} before {@code __read}), then the shorter, then the alphabetically first.
   */
  static boolean better(String name, String than) {
    int difference = underscores(name) - underscores(than);
    if (difference == 0) {
      difference = name.length() - than.length();
    }
    return !name.isEmpty() && (difference < 0 || difference == 0 && name.compareTo(than) < 0);
  }

  private static int underscores(String name) {
    if (name.startsWith("_Z")) {
      return 0;
    }
    int count = 0;
    while (count < name.length() && name.charAt(count) == '_') {
      count++;
    }
    return count;
  }

  private String name(int index) {
    return ElfImage.string(strings, names[index] & 0xffff_ffffL, NAME_BYTES_MAX);
  }

  @Override
  public long start(int index) {
    return base + (starts[index] & 0xffff_ffffL);
  }
}
