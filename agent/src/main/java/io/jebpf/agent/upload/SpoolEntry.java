package io.jebpf.agent.upload;

import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One profile that waits, and how often each server was tried. Guarded by the {@link Spool}.
 *
 * <p>File name: {@code <start, ms, 13 digits>-<number, 6 digits>-<kind>~<sends>~<parts>.pb.gz}.
 */
final class SpoolEntry {
  static final Comparator<SpoolEntry> OLDEST_FIRST =
      Comparator.<SpoolEntry>comparingLong(e -> e.startMillis)
          .thenComparing(e -> e.stem)
          .thenComparing(e -> e.queue.name());

  private static final Pattern NAME =
      Pattern.compile(
          "(([0-9]{13})-[0-9]{6,9}-([a-z0-9_]{1,20}))~([0-9]{1,6})~([0-9]{1,4})\\.pb\\.gz");

  final SpoolQueue queue;
  final String stem;
  final String kind;
  final long startMillis;
  final long bytes;

  /** The profile, when it could not be written to the disk. */
  Optional<byte[]> memory = Optional.empty();

  /** One bit for each server that has not taken it. */
  int waitingFor;

  /** Per server: requests that were begun. */
  final int[] sends;

  /** Per server: requests of a profile of several that the server has taken. */
  final int[] parts;

  /** Being sent: not to be dropped now. */
  int busy;

  SpoolEntry(
      SpoolQueue queue, String stem, String kind, long startMillis, long bytes, int servers) {
    this.queue = queue;
    this.stem = stem;
    this.kind = kind;
    this.startMillis = startMillis;
    this.bytes = bytes;
    this.sends = new int[servers];
    this.parts = new int[servers];
  }

  static String stem(long startMillis, int number, String kind) {
    return String.format(Locale.ROOT, "%013d-%06d-%s", startMillis, number, kind);
  }

  /** Name of its file for a server. */
  String fileName(int server) {
    return stem + "~" + sends[server] + "~" + parts[server] + ".pb.gz";
  }

  /** What a file's name says; empty when it is no such name. */
  static Optional<Matcher> parse(String fileName) {
    Matcher matcher = NAME.matcher(fileName);
    return matcher.matches() ? Optional.of(matcher) : Optional.empty();
  }

  boolean waitsFor(int server) {
    return (waitingFor & 1 << server) != 0;
  }
}
