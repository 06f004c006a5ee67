package io.jebpf.symbolizer.elf;

import java.util.Optional;
import java.util.OptionalLong;

/**
 * Where an object keeps the number under which its thread-local block is found in each thread's
 * dynamic thread vector: a slot that the dynamic linker fills for a DTPMOD64 relocation without a
 * symbol. Objects that were linked with static TLS have none.
 */
public final class ElfTls {
  private static final int RELOCATION_BYTES = 24;
  private static final long RELOCATIONS_MAX = 1 << 24;

  private ElfTls() {}

  /** Virtual address of the first such slot. */
  public static OptionalLong moduleSlot(ElfImage image) {
    ElfDynamic dynamic = image.dynamic();
    Optional<ElfCursor> cursor =
        dynamic.relocations() == 0
            ? Optional.empty()
            : image.cursor(dynamic.relocations(), dynamic.relocationBytes());
    if (cursor.isEmpty()) {
      return OptionalLong.empty();
    }
    ElfCursor in = cursor.get();
    long count = Math.min(in.length() / RELOCATION_BYTES, RELOCATIONS_MAX);
    for (long i = 0; i < count; i++) {
      long slot = in.u64();
      long info = in.u64(); // symbol << 32 | type
      in.u64();
      if (in.failed()) {
        break;
      }
      if (info == image.machine().tlsModuleRelocation()) {
        return OptionalLong.of(slot);
      }
    }
    return OptionalLong.empty();
  }

  /** Size of the thread-local block in bytes; 0 when the object has none. */
  public static long blockBytes(ElfImage image) {
    return image.segment(ElfSegment.TLS).map(ElfSegment::memoryBytes).orElse(0L);
  }
}
