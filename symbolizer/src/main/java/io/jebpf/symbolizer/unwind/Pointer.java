package io.jebpf.symbolizer.unwind;

import io.jebpf.symbolizer.elf.ElfCursor;

/** Pointers as {@code .eh_frame} encodes them (LSB core specification, "DWARF extensions"). */
final class Pointer {
  static final int OMITTED = 0xff;
  private static final int PC_RELATIVE = 0x10;
  private static final int INDIRECT = 0x80;

  private Pointer() {}

  /** Whether we can decode values of this encoding. */
  static boolean isKnown(int encoding) {
    int format = encoding & 0x0f;
    int relative = encoding & 0x70;
    return (relative == 0 || relative == PC_RELATIVE)
        && (encoding & INDIRECT) == 0
        && (format <= 4 || format >= 9 && format <= 12);
  }

  /** Reads a pointer; {@code sectionAddress} is the virtual address of the cursor's start. */
  static long read(ElfCursor in, int encoding, long sectionAddress) {
    long here = sectionAddress + in.position();
    long value = value(in, encoding & 0x0f);
    return (encoding & 0x70) == PC_RELATIVE && value != 0 ? here + value : value;
  }

  /** Reads the value alone: a length has the format of a pointer, but is relative to nothing. */
  static long value(ElfCursor in, int format) {
    return switch (format) {
      case 0, 4, 12 -> in.u64();
      case 1 -> in.uleb();
      case 2 -> in.u16();
      case 3 -> in.u32();
      case 9 -> in.sleb();
      case 10 -> (short) in.u16();
      default -> in.i32();
    };
  }
}
