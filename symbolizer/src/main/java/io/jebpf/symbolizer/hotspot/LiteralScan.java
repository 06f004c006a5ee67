package io.jebpf.symbolizer.hotspot;

import java.nio.charset.StandardCharsets;

/** Finds string literals in a range of read-only data. Short-lived: keeps the range once read. */
final class LiteralScan {
  private static final int RANGE_BYTES_MAX = 64 << 20;
  private static final int CHUNK_BYTES = 1 << 16;

  private final TargetMemory memory;
  private final long start;
  private final long end;
  private final byte[] chunk;

  LiteralScan(TargetMemory memory, long start, long end) {
    this.memory = memory;
    this.start = start;
    this.end = end > start && end - start <= RANGE_BYTES_MAX ? end : start;
    this.chunk = new byte[this.end > start ? CHUNK_BYTES : 0];
  }

  /**
   * Address of the literal {@code text}, zero bytes around it; 0 when it is not there just once.
   */
  long find(String text) {
    byte[] pattern = ("\0" + text + "\0").getBytes(StandardCharsets.ISO_8859_1);
    long found = 0;
    long step = CHUNK_BYTES - pattern.length + 1L; // chunks overlap, so no match is cut
    for (long at = start; at < end; at += step) {
      int length = (int) Math.min(CHUNK_BYTES, end - at);
      memory.begin();
      if (!memory.bytes(at, chunk, 0, length)) {
        continue; // a hole: the rest of the range may be readable
      }
      for (int i = 0; i + pattern.length <= length; i++) {
        if (matches(pattern, i)) {
          if (found != 0 && found != at + i + 1) {
            return 0;
          }
          found = at + i + 1;
        }
      }
    }
    return found;
  }

  private boolean matches(byte[] pattern, int at) {
    if (chunk[at + 1] != pattern[1]) {
      return false;
    }
    for (int i = 0; i < pattern.length; i++) {
      if (chunk[at + i] != pattern[i]) {
        return false;
      }
    }
    return true;
  }
}
