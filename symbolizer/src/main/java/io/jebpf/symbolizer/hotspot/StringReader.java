package io.jebpf.symbolizer.hotspot;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Reads zero-terminated literals by whole pages and keeps the pages: the names in the vmStructs
 * tables and the JVM's flags are thousands of strings in a few hundred pages of {@code .rodata}.
 * Short-lived: made for one pass, then dropped.
 */
final class StringReader {
  private static final int PAGE_BYTES = 4096;
  private static final int PAGES_MAX = 2048;
  private static final byte[] UNREADABLE = new byte[0];

  /** No literal that we look at is longer. */
  private static final int STRING_BYTES_MAX = 1024;

  private final TargetMemory memory;
  private final Map<Long, byte[]> pages = new HashMap<>();
  private final byte[] text = new byte[STRING_BYTES_MAX];

  StringReader(TargetMemory memory) {
    this.memory = memory;
  }

  /** The string at {@code address}; empty when it is unreadable, too long or not there (0). */
  String at(long address) {
    int length = 0;
    long from = address;
    while (length < STRING_BYTES_MAX && TargetMemory.plausible(from)) {
      byte[] page = page(from & -PAGE_BYTES);
      for (int i = (int) (from & (PAGE_BYTES - 1)); i < page.length; i++, from++) {
        if (page[i] == 0) {
          return new String(text, 0, length, StandardCharsets.ISO_8859_1);
        }
        if (length == STRING_BYTES_MAX) {
          return "";
        }
        text[length++] = page[i];
      }
      if (page.length == 0) {
        return "";
      }
    }
    return "";
  }

  private byte[] page(long address) {
    byte[] known = pages.get(address);
    if (known != null) {
      return known;
    }
    if (pages.size() >= PAGES_MAX) {
      pages.clear();
    }
    byte[] page = new byte[PAGE_BYTES];
    byte[] result = memory.bytes(address, page, 0, PAGE_BYTES) ? page : UNREADABLE;
    pages.put(address, result);
    return result;
  }
}
