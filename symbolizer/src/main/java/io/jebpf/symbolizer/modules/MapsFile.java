package io.jebpf.symbolizer.modules;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads {@code /proc/<pid>/maps} through one buffer. Owner: one thread.
 *
 * <p>The kernel renders the text page by page, so while the process maps and unmaps, a line can be
 * missing, doubled or overlap its neighbour. Lines that are not whole or not above the one before
 * are left out; {@link ModuleTable} reads again until two readings agree.
 */
final class MapsFile {
  /** 100 bytes a line: more than 600,000 mappings; the kernel's own limit is 65,530 by default. */
  static final long BYTES_MAX = 64 << 20;

  /** Longer lines have a path above PATH_MAX (4,096, four times that when escaped). */
  private static final int BUFFER_BYTES = 64 * 1024;

  /** File mappings kept of one reading; also those that are not executable. */
  private static final int ENTRIES_MAX = 65_536;

  private static final String DELETED = " (deleted)";

  private final Path file;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int position; // of the parser in the buffer
  private int lineEnd;
  private long lastEnd;
  private long fingerprint;
  private List<MapsEntry> entries;

  MapsFile(Path file) {
    this.file = file;
  }

  /** What one reading found: a hash over the lines of executable files, and all file mappings. */
  record Reading(long fingerprint, List<MapsEntry> entries) {}

  /** Hash over the lines that map executable files: equal while these stay the same. */
  long fingerprint() throws IOException {
    entries = null;
    scan();
    return fingerprint;
  }

  Reading read() throws IOException {
    entries = new ArrayList<>();
    scan();
    List<MapsEntry> found = entries;
    entries = null;
    return new Reading(fingerprint, found);
  }

  private void scan() throws IOException {
    fingerprint = 0xcbf29ce484222325L;
    lastEnd = 0;
    long total = 0;
    int filled = 0;
    try (InputStream in = new FileInputStream(file.toFile())) {
      while (total < BYTES_MAX) {
        int count = in.read(buffer, filled, buffer.length - filled);
        if (count <= 0) {
          break;
        }
        total += count;
        filled += count;
        int done = lines(filled);
        // A line that fills the buffer is not one of the kernel's: drop it.
        int rest = done == 0 && filled == buffer.length ? 0 : filled - done;
        System.arraycopy(buffer, filled - rest, buffer, 0, rest);
        filled = rest;
      }
    }
  }

  /** Handles the whole lines in the buffer; returns how many bytes they are. */
  private int lines(int filled) {
    int start = 0;
    for (int i = 0; i < filled; i++) {
      if (buffer[i] == '\n') {
        line(start, i);
        start = i + 1;
      }
    }
    return start;
  }

  private void line(int start, int end) {
    position = start;
    lineEnd = end;
    long from = hex();
    boolean shaped = expect('-');
    long to = hex();
    shaped &= expect(' ') && position + 4 <= end;
    if (!shaped || Long.compareUnsigned(from, lastEnd) < 0 || Long.compareUnsigned(to, from) <= 0) {
      return;
    }
    lastEnd = to;
    boolean executable = buffer[position + 2] == 'x';
    if (!executable && entries == null) {
      return;
    }
    position += 4;
    shaped = expect(' ');
    long offset = hex();
    shaped &= expect(' ');
    long device = hex() << 32;
    shaped &= expect(':');
    device |= hex();
    shaped &= expect(' ');
    long inode = decimal();
    while (position < end && buffer[position] == ' ') {
      position++;
    }
    if (!shaped || position == end || !isObject(position)) {
      return;
    }
    if (executable) {
      for (int i = start; i < end; i++) {
        fingerprint = (fingerprint ^ buffer[i]) * 0x100000001b3L;
      }
    }
    if (entries != null && entries.size() < ENTRIES_MAX) {
      add(from, to, executable, offset, device, inode);
    }
  }

  /** Paths start with a slash; of the names in brackets only the vDSO has an ELF object. */
  private boolean isObject(int at) {
    if (buffer[at] == '/') {
      return true;
    }
    for (int i = 0; i < MapsEntry.VDSO.length(); i++) {
      if (at + i >= lineEnd || buffer[at + i] != MapsEntry.VDSO.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  private void add(long from, long to, boolean executable, long offset, long device, long inode) {
    String path = new String(buffer, position, lineEnd - position, StandardCharsets.UTF_8);
    path = path.replace("\\012", "\n"); // the only escape the kernel makes
    boolean deleted = path.endsWith(DELETED);
    if (deleted) {
      path = path.substring(0, path.length() - DELETED.length());
    }
    entries.add(new MapsEntry(from, to, executable, offset, device, inode, path, deleted));
  }

  private boolean expect(char wanted) {
    boolean there = position < lineEnd && buffer[position] == wanted;
    position++;
    return there;
  }

  private long hex() {
    long value = 0;
    while (position < lineEnd) {
      int digit = Character.digit(buffer[position], 16);
      if (digit < 0) {
        break;
      }
      value = value << 4 | digit;
      position++;
    }
    return value;
  }

  private long decimal() {
    long value = 0;
    while (position < lineEnd && buffer[position] >= '0' && buffer[position] <= '9') {
      value = value * 10 + (buffer[position] - '0');
      position++;
    }
    return value;
  }
}
