package io.jebpf.bpf;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The kernel's names of threads as strings. Threads share few of them: as many strings are kept as
 * there are slots, and found again by their 16 bytes. Owner: one thread.
 */
final class CommNames {
  private static final int SLOTS = 256;

  private final long[] low = new long[SLOTS];
  private final long[] high = new long[SLOTS];
  private final String[] names = new String[SLOTS];

  CommNames() {
    Arrays.fill(names, "");
  }

  /** The zero-terminated name of at most 16 bytes at an offset. */
  String at(ByteBuffer buffer, int offset) {
    long first = buffer.getLong(offset);
    long second = buffer.getLong(offset + Long.BYTES);
    long mixed = (first * 31 + second) * 0x9E3779B97F4A7C15L;
    int slot = (int) (mixed >>> 56) & (SLOTS - 1);
    if (low[slot] != first || high[slot] != second) {
      names[slot] = decode(buffer, offset);
      low[slot] = first;
      high[slot] = second;
    }
    return names[slot];
  }

  private static String decode(ByteBuffer buffer, int offset) {
    byte[] bytes = new byte[Layout.COMM_BYTES];
    int length = 0;
    while (length < bytes.length && buffer.get(offset + length) != 0) {
      bytes[length] = buffer.get(offset + length);
      length++;
    }
    return new String(bytes, 0, length, StandardCharsets.UTF_8);
  }
}
