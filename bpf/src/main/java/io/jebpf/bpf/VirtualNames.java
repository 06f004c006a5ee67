package io.jebpf.bpf;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Names of virtual threads in samples, as strings. As many are kept as there are slots, and found
 * again by their bytes: a name that many samples carry is decoded once. Owner: one thread.
 */
final class VirtualNames {
  private static final int SLOTS = 512;
  private static final String CUT = "\u2026";

  private final byte[][] keys = new byte[SLOTS][];
  private final String[] names = new String[SLOTS];
  private final byte[] key = new byte[1 + Layout.VIRTUAL_NAME_BYTES]; // flags, bytes

  /** The name in the sample at an offset of the buffer; empty when it has none. */
  String at(ByteBuffer buffer, int sample) {
    int length = Byte.toUnsignedInt(buffer.get(sample + Layout.SAMPLE_VIRTUAL_NAME_BYTES));
    if (length == 0 || length > Layout.VIRTUAL_NAME_BYTES) {
      return "";
    }
    key[0] = buffer.get(sample + Layout.SAMPLE_VIRTUAL_NAME_FLAGS);
    buffer.get(sample + Layout.SAMPLE_VIRTUAL_NAME, key, 1, length);
    int hash = 1;
    for (int i = 0; i <= length; i++) {
      hash = 31 * hash + key[i];
    }
    int slot = (hash ^ hash >>> 16) & (SLOTS - 1);
    byte[] known = keys[slot];
    if (known == null || !Arrays.equals(known, 0, known.length, key, 0, length + 1)) {
      keys[slot] = Arrays.copyOf(key, length + 1);
      names[slot] = decode(length);
    }
    return names[slot];
  }

  private String decode(int length) {
    boolean utf16 = (key[0] & Layout.NAME_UTF16) != 0;
    // the JVM keeps UTF-16 in the processor's order, which is little-endian on all we run on
    String text =
        new String(key, 1, length, utf16 ? StandardCharsets.UTF_16LE : StandardCharsets.ISO_8859_1);
    return (key[0] & Layout.NAME_CUT) != 0 ? text + CUT : text;
  }
}
