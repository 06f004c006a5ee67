package io.jebpf.agent.options;

/**
 * How much of the past is kept in memory.
 *
 * @param nanos age of the oldest; 0 keeps nothing
 * @param bytes most memory for it
 */
public record HistoryOptions(long nanos, long bytes) {
  public static final HistoryOptions STANDARD = new HistoryOptions(300_000_000_000L, 16L << 20);

  public HistoryOptions {
    if (nanos < 0 || bytes <= 0) {
      throw new IllegalArgumentException("history " + nanos + ", " + bytes + " bytes");
    }
  }
}
