package io.jebpf.symbolizer.unwind;

import io.jebpf.symbolizer.elf.ElfCursor;
import java.util.Optional;

/**
 * What many function descriptions have in common.
 *
 * @param returnColumn DWARF number of the return address
 * @param augmented whether descriptions have an augmentation block of their own
 * @param signalFrame augmentation S: the frame of a signal handler's return
 * @param instructions position of the initial instructions, which end at {@code end}
 */
record Cie(
    long codeAlign,
    long dataAlign,
    int returnColumn,
    int pointerEncoding,
    boolean augmented,
    boolean signalFrame,
    long instructions,
    long end) {
  private static final int AUGMENTATION_BYTES_MAX = 16;
  private static final int DWARF_REGISTERS_MAX = 256;

  /** Reads the CIE at a position; empty when it is damaged or of a kind we do not know. */
  static Optional<Cie> read(ElfCursor in, long position) {
    in.seek(position);
    long length = in.u32();
    if (length == 0xffff_ffffL) {
      length = in.u64();
    }
    long end = in.position() + length;
    if (in.failed() || length < 8 || length > in.remaining() || in.u32() != 0) {
      return Optional.empty();
    }
    int version = in.u8();
    StringBuilder augmentation = new StringBuilder();
    for (int c = in.u8(); c != 0; c = in.u8()) {
      if (in.failed() || augmentation.length() == AUGMENTATION_BYTES_MAX) {
        return Optional.empty();
      }
      augmentation.append((char) c);
    }
    if (version == 4) {
      in.u16(); // address and segment size
    } else if (version != 1 && version != 3) {
      return Optional.empty();
    }
    long codeAlign = in.uleb();
    long dataAlign = in.sleb();
    long returnColumn = version == 1 ? in.u8() : in.uleb();
    boolean augmented = augmentation.length() > 0 && augmentation.charAt(0) == 'z';
    if (!augmented && augmentation.length() > 0) {
      return Optional.empty(); // "eh", of compilers before 2000
    }
    int encoding = 0;
    boolean signal = false;
    long instructions = in.position();
    if (augmented) {
      instructions = in.uleb();
      instructions += in.position();
      for (int i = 1; i < augmentation.length(); i++) {
        switch (augmentation.charAt(i)) {
          case 'R' -> encoding = in.u8();
          case 'L' -> in.u8();
          case 'P' -> Pointer.value(in, in.u8() & 0x0f);
          case 'S' -> signal = true;
          case 'B', 'G' -> {} // aarch64: signed return addresses, memory tags
          default -> i = augmentation.length(); // the length tells where the rest ends
        }
      }
    }
    boolean sound =
        !in.failed()
            && Pointer.isKnown(encoding)
            && returnColumn < DWARF_REGISTERS_MAX
            && instructions >= position
            && instructions <= end;
    return sound
        ? Optional.of(
            new Cie(
                codeAlign,
                dataAlign,
                (int) returnColumn,
                encoding,
                augmented,
                signal,
                instructions,
                end))
        : Optional.empty();
  }
}
