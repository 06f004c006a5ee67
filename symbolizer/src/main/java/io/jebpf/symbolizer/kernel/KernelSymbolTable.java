package io.jebpf.symbolizer.kernel;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The kernel's code symbols, read once from {@code /proc/kallsyms} or what has its form: 8 bytes
 * and the name for each. Immutable.
 *
 * <p>Measured on 6.18 (122,000 code symbols, 5.4 MB of text): half of them are {@code __pfx_}
 * symbols, which name the padding before a function and are left out; the rest takes 2.2 MB of heap
 * and 40 ms in the kernel to print. Streaming the file for the addresses of each window would save
 * the heap and cost those 40 ms per window, 0.4 % of a core: hence a table.
 */
final class KernelSymbolTable {
  /** A kernel with all modules loaded has 300,000. */
  static final int SYMBOLS_MAX = 1 << 20;

  private static final int BLOCK_BYTES = 64 * 1024;

  private static final int BLOCKS_MAX = 512;

  /** No kernel function is longer; bounds the last symbol before a gap. */
  private static final long FUNCTION_BYTES_MAX = 64 * 1024;

  /** KSYM_NAME_LEN is 512 (6.1 and later), plus address, type and module name. */
  private static final int BUFFER_BYTES = 64 * 1024;

  /** Code symbols without address in a row, from the first on: all are hidden, no need to go on. */
  private static final int HIDDEN_MAX = 100;

  private static final byte[] PADDING_PREFIX = "__pfx_".getBytes(StandardCharsets.US_ASCII);
  private static final int ADDRESS_DIGITS = 16;
  private static final long REACH = 1L << 31;

  private long base; // of the offsets; 0 until the first symbol
  private long[] order = new long[1 << 16]; // offset << 32 | index while reading
  private int[] offsets = new int[0]; // sorted, unsigned
  private int[] nameOffsets = new int[1 << 16];
  private final List<byte[]> names = new ArrayList<>(); // blocks; a name does not cross them
  private byte[] block = new byte[0];
  private int blockBytes;
  private int count;
  private int lines;
  private int hidden; // code symbols without address, before the first with one

  private KernelSymbolTable() {}

  static KernelSymbolTable read(Path kallsyms) throws IOException {
    try (InputStream in = new FileInputStream(kallsyms.toFile())) {
      return read(in);
    }
  }

  /** Reads up to the end; where all addresses are hidden, not even that far. */
  static KernelSymbolTable read(InputStream in) throws IOException {
    KernelSymbolTable table = new KernelSymbolTable();
    byte[] buffer = new byte[BUFFER_BYTES];
    int filled = 0;
    for (int read = in.read(buffer); read > 0 && table.hidden < HIDDEN_MAX; ) {
      filled += read;
      int start = 0;
      for (int i = 0; i < filled; i++) {
        if (buffer[i] == '\n') {
          table.line(buffer, start, i);
          start = i + 1;
        }
      }
      int rest = start == 0 && filled == buffer.length ? 0 : filled - start;
      System.arraycopy(buffer, filled - rest, buffer, 0, rest);
      filled = rest;
      read = in.read(buffer, filled, buffer.length - filled);
    }
    table.sort();
    return table;
  }

  /** "ffffffff81000000 T _stext" or "ffffffffc0201000 t name&lt;tab&gt;[module]". */
  private void line(byte[] line, int start, int end) {
    lines++;
    int name = start + ADDRESS_DIGITS + 3;
    if (name >= end || line[start + ADDRESS_DIGITS] != ' ' || line[name - 1] != ' ') {
      return;
    }
    char type = (char) line[name - 2];
    boolean padding =
        name + PADDING_PREFIX.length <= end
            && Arrays.equals(
                line, name, name + PADDING_PREFIX.length, PADDING_PREFIX, 0, PADDING_PREFIX.length);
    if (type != 'T' && type != 't' && type != 'W' && type != 'w' || padding) {
      return;
    }
    long address = 0;
    for (int i = start; i < start + ADDRESS_DIGITS; i++) {
      address = address << 4 | Character.digit(line[i], 16) & 0xf;
    }
    if (address != 0) {
      add(address, line, name, end);
    } else if (count == 0) {
      hidden++;
    }
  }

  private void add(long address, byte[] line, int name, int end) {
    if (count == 0) {
      base = address - REACH; // code and modules are within 2 GiB of each other
    }
    int length = end - name;
    if (address - base >>> 32 != 0
        || count == SYMBOLS_MAX
        || length >= BLOCK_BYTES
        || names.size() == BLOCKS_MAX) {
      return;
    }
    if (count == order.length) {
      order = Arrays.copyOf(order, count * 2);
      nameOffsets = Arrays.copyOf(nameOffsets, count * 2);
    }
    if (blockBytes + length + 1 > block.length) {
      block = new byte[BLOCK_BYTES];
      names.add(block);
      blockBytes = 0;
    }
    order[count] = (address - base << 32 | count) ^ Long.MIN_VALUE; // sorts as unsigned
    nameOffsets[count++] = (names.size() - 1) * BLOCK_BYTES + blockBytes;
    System.arraycopy(line, name, block, blockBytes, length);
    blockBytes += length + 1; // and a 0
  }

  private void sort() {
    Arrays.sort(order, 0, count);
    offsets = new int[count];
    int[] sortedNames = new int[count];
    for (int i = 0; i < count; i++) {
      long key = order[i] ^ Long.MIN_VALUE;
      offsets[i] = (int) (key >>> 32);
      sortedNames[i] = nameOffsets[(int) key];
    }
    nameOffsets = sortedNames;
    order = new long[0];
  }

  int count() {
    return count;
  }

  /** Lines that were read, whatever they named. */
  int lines() {
    return lines;
  }

  long heapBytes() {
    return 8L * count + (long) names.size() * BLOCK_BYTES;
  }

  /** Index of the symbol that covers an address; -1 when none does. */
  int find(long address) {
    long offset = address - base;
    if (offset >>> 32 != 0) {
      return -1;
    }
    int low = 0;
    int high = count;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if ((offsets[middle] & 0xffff_ffffL) <= offset) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    int found = low - 1;
    if (found < 0 || offset - (offsets[found] & 0xffff_ffffL) >= FUNCTION_BYTES_MAX) {
      return -1;
    }
    // The kernel itself shows the first of several symbols at one address.
    while (found > 0 && offsets[found - 1] == offsets[found]) {
      found--;
    }
    return found;
  }

  long start(int index) {
    return base + (offsets[index] & 0xffff_ffffL);
  }

  /** The name, followed by a tab and the module in brackets for symbols of modules. */
  String line(int index) {
    byte[] text = names.get(nameOffsets[index] / BLOCK_BYTES);
    int start = nameOffsets[index] % BLOCK_BYTES;
    int end = start;
    while (text[end] != 0) {
      end++;
    }
    return new String(text, start, end - start, StandardCharsets.US_ASCII);
  }
}
