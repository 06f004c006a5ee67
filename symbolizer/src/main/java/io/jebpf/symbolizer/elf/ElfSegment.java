package io.jebpf.symbolizer.elf;

/** One program header. Sizes and addresses are unsigned values as found in the file. */
record ElfSegment(
    int type, int flags, long offset, long address, long fileBytes, long memoryBytes) {
  static final int LOAD = 1;
  static final int DYNAMIC = 2;
  static final int NOTE = 4;
  static final int TLS = 7;
  static final int GNU_EH_FRAME = 0x6474e550;
  static final int FLAG_EXECUTE = 1;

  /** Whether the virtual address is in this segment; bytes past the file's part are zero. */
  boolean contains(long virtualAddress) {
    return Long.compareUnsigned(virtualAddress - address, memoryBytes) < 0;
  }

  /** Whether all of the range is in the part of the segment that the file holds. */
  boolean holds(long virtualAddress, long length) {
    long skip = virtualAddress - address;
    return length >= 0
        && Long.compareUnsigned(skip, fileBytes) <= 0
        && Long.compareUnsigned(length, fileBytes - skip) <= 0;
  }
}
