package io.jebpf.symbolizer.elf;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where an image keeps its unwind information and the code that is known to have none.
 *
 * @param ehFrame virtual address of {@code .eh_frame}
 * @param ehFrameBytes its size; in memory an upper bound (the records end with a zero length)
 * @param header virtual address of {@code .eh_frame_hdr}; meaningless when headerBytes is 0
 * @param plt ranges of the procedure linkage tables, empty in memory (found by section)
 */
public record ElfUnwindSections(
    long ehFrame, long ehFrameBytes, long header, long headerBytes, List<Range> plt) {
  /** A range of virtual addresses; {@code end} is exclusive. */
  public record Range(long start, long end) {}

  private static final int PLT_MAX = 8;
  private static final int PCREL_SDATA4 = 0x1b;

  /** Finds the sections of an image; empty when it has no unwind information. */
  public static Optional<ElfUnwindSections> of(ElfImage image) {
    Optional<ElfSegment> header = image.segment(ElfSegment.GNU_EH_FRAME);
    List<Range> plt = new ArrayList<>();
    for (ElfSection section : image.sections()) {
      String name = section.name();
      boolean linkage = name.equals(".plt") || name.equals(".plt.sec") || name.equals(".plt.got");
      if (linkage && plt.size() < PLT_MAX) {
        plt.add(new Range(section.address(), section.address() + section.bytes()));
      }
    }
    plt.sort((a, b) -> Long.compareUnsigned(a.start, b.start));
    long headerAddress = header.map(ElfSegment::address).orElse(0L);
    long headerBytes = header.map(ElfSegment::fileBytes).orElse(0L);
    Optional<ElfSection> section = image.section(".eh_frame");
    long address = section.map(ElfSection::address).orElse(0L);
    long bytes = section.map(ElfSection::bytes).orElse(0L);
    if (address == 0 && headerBytes >= 8) {
      address = ehFrameAddress(image, headerAddress);
      bytes = image.bytesFrom(address);
    }
    return address == 0 || bytes <= 0
        ? Optional.empty()
        : Optional.of(
            new ElfUnwindSections(address, bytes, headerAddress, headerBytes, List.copyOf(plt)));
  }

  private static long ehFrameAddress(ElfImage image, long header) {
    Optional<ElfCursor> cursor = image.cursor(header, 8, 8);
    if (cursor.isEmpty()) {
      return 0;
    }
    ElfCursor in = cursor.get();
    int version = in.u8();
    int encoding = in.u8();
    in.u16();
    int distance = in.i32();
    return version == 1 && encoding == PCREL_SDATA4 && !in.failed() ? header + 4 + distance : 0;
  }
}
