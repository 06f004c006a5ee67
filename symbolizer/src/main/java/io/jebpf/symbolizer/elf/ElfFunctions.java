package io.jebpf.symbolizer.elf;

import java.util.Optional;

/**
 * Where functions begin and end, by the unwind information, which also covers functions that have
 * no symbol: a binary search in the sorted table of {@code .eh_frame_hdr}, read as needed.
 *
 * <pre>
 *   header: version 1, three encodings, i32 distance to .eh_frame, u32 count,
 *           then per function: i32 start, i32 description, both counted from the header
 *   description (FDE): u32 length, u32 distance to the CIE, i32 start - here, u32 bytes
 * </pre>
 */
public final class ElfFunctions {
  private static final int UDATA4 = 0x03;
  private static final int DATAREL_SDATA4 = 0x3b;
  private static final int TABLE = 12;
  private static final int ENTRY_BYTES = 8;
  private static final int COUNT_MAX = 1 << 22;
  private static final int CHUNK_BYTES = 64;

  private ElfFunctions() {}

  /** A function's virtual addresses; {@code end} is exclusive. */
  public record Function(long start, long end) {}

  /** The function that covers a virtual address. */
  public static Optional<Function> at(ElfImage image, long virtualAddress) {
    Optional<ElfSegment> segment = image.segment(ElfSegment.GNU_EH_FRAME);
    long header = segment.map(ElfSegment::address).orElse(0L);
    long bytes = segment.map(ElfSegment::fileBytes).orElse(0L);
    Optional<ElfCursor> cursor = image.cursor(header, bytes, CHUNK_BYTES);
    if (bytes < TABLE + ENTRY_BYTES || cursor.isEmpty()) {
      return Optional.empty();
    }
    ElfCursor in = cursor.get();
    int version = in.u8();
    in.u8();
    int countEncoding = in.u8();
    int tableEncoding = in.u8();
    in.i32();
    long count = in.u32();
    boolean known =
        version == 1 && countEncoding == UDATA4 && tableEncoding == DATAREL_SDATA4 && !in.failed();
    if (!known || count > COUNT_MAX || count * ENTRY_BYTES > bytes - TABLE) {
      return Optional.empty();
    }
    long low = 0;
    long high = count;
    while (low < high) {
      long middle = (low + high) >>> 1;
      in.seek(TABLE + middle * ENTRY_BYTES);
      if (header + in.i32() <= virtualAddress) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == 0) {
      return Optional.empty();
    }
    in.seek(TABLE + (low - 1) * ENTRY_BYTES);
    long start = header + in.i32();
    long description = header + in.i32();
    return in.failed() ? Optional.empty() : described(image, start, description, virtualAddress);
  }

  private static Optional<Function> described(
      ElfImage image, long start, long description, long virtualAddress) {
    Optional<ElfCursor> cursor = image.cursor(description, 16, 16);
    if (cursor.isEmpty()) {
      return Optional.empty();
    }
    ElfCursor in = cursor.get();
    in.u32();
    in.u32();
    long check = description + 8 + in.i32();
    long bytes = in.u32();
    return !in.failed() && check == start && virtualAddress < start + bytes
        ? Optional.of(new Function(start, start + bytes))
        : Optional.empty();
  }
}
