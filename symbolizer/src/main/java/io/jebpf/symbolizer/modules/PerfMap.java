package io.jebpf.symbolizer.modules;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/**
 * Names of code that another JIT in the process made, from the file it keeps for perf: {@code
 * /tmp/perf-<pid>.map}, a line each of start and size in hexadecimal and a name. Where ranges
 * overlap the line written last counts, since memory is used again.
 *
 * <p>Everybody may write into {@code /tmp}: the file counts only if it is a regular one of the same
 * owner as the process. Owner: the reader thread.
 */
public final class PerfMap {
  static final int ENTRIES_MAX = 200_000;
  static final long BYTES_MAX = 32L << 20;

  private static final long LOOK_NANOS = 1_000_000_000;
  private static final int NAME_CHARS_MAX = 512;
  private static final int HEX = 16;

  /** For tests and for processes without such a file. */
  public static final PerfMap NONE = new PerfMap(Path.of("/"), Path.of("/"), () -> 0);

  private record Code(long end, String name) {}

  private final Path file;
  private final Path process;
  private final LongSupplier nanoClock;
  private TreeMap<Long, Code> codes = new TreeMap<>();
  private boolean looked;
  private long lookedNanos;
  private long size = -1;
  private long modified;

  PerfMap(Path file, Path process, LongSupplier nanoClock) {
    this.file = file;
    this.process = process;
    this.nanoClock = nanoClock;
  }

  /**
   * @param process {@code /proc/<pid>} or {@code /proc/self}
   * @param pid as the process itself sees it
   */
  public static PerfMap of(Path process, long pid) {
    return new PerfMap(process.resolve("root/tmp/perf-" + pid + ".map"), process, System::nanoTime);
  }

  /** The name of the code at an address; empty when there is none. */
  String nameAt(long address) {
    String known = find(address);
    if (!known.isEmpty() && looked && nanoClock.getAsLong() - lookedNanos < LOOK_NANOS) {
      return known;
    }
    refresh();
    return find(address);
  }

  private String find(long address) {
    Map.Entry<Long, Code> below = codes.floorEntry(address);
    return below != null && address < below.getValue().end() ? below.getValue().name() : "";
  }

  private void refresh() {
    long now = nanoClock.getAsLong();
    if (this == NONE || looked && now - lookedNanos < LOOK_NANOS) {
      return;
    }
    looked = true;
    lookedNanos = now;
    try {
      PosixFileAttributes is =
          Files.readAttributes(file, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      boolean ours = is.isRegularFile() && is.owner().equals(Files.getOwner(process));
      long changed = is.lastModifiedTime().toMillis();
      if (ours && (is.size() != size || changed != modified)) {
        size = is.size();
        modified = changed;
        read();
      }
    } catch (IOException | UnsupportedOperationException absent) {
      return; // as a rule there is none; and what was read of one stays true
    }
  }

  private void read() throws IOException {
    TreeMap<Long, Code> read = new TreeMap<>();
    try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS);
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      long chars = 0;
      String line;
      while ((line = lines.readLine()) != null
          && read.size() < ENTRIES_MAX
          && (chars += line.length() + 1) < BYTES_MAX) {
        add(read, line);
      }
    }
    codes = read;
  }

  private static void add(TreeMap<Long, Code> into, String line) {
    int first = line.indexOf(' ');
    int second = line.indexOf(' ', first + 1);
    if (first <= 0 || second < 0 || second + 1 >= line.length()) {
      return;
    }
    long start;
    long end;
    try {
      start = Long.parseUnsignedLong(withoutPrefix(line.substring(0, first)), HEX);
      end = start + Long.parseUnsignedLong(line.substring(first + 1, second), HEX);
    } catch (NumberFormatException torn) {
      return; // the last line, while it is being written
    }
    if (start < 0 || end <= start) {
      return;
    }
    String name =
        line.substring(second + 1, Math.min(line.length(), second + 1 + NAME_CHARS_MAX)).strip();
    // What lay there before is gone, as far as the new code reaches.
    Map.Entry<Long, Code> below = into.lowerEntry(start);
    if (below != null && below.getValue().end() > start) {
      into.put(below.getKey(), new Code(start, below.getValue().name()));
    }
    into.subMap(start, end).clear();
    if (!name.isEmpty()) {
      into.put(start, new Code(end, name));
    }
  }

  private static String withoutPrefix(String text) {
    return text.startsWith("0x") ? text.substring(2) : text;
  }
}
