package io.jebpf.agent.history;

import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * One window for keeps: its stacks, labels and rows, and the time of every sample and stretch of a
 * wait, in one array of bytes. Immutable, so that any thread reads it while the profiler goes on.
 *
 * <p>Its events lie between {@link #firstNanos} and {@link #lastNanos}, a little beyond the window
 * itself on both sides: a short wait is reported whole by the window in which it is over, and the
 * last samples of a window are on their way when it ends.
 */
public final class Segment {
  private static final int LEVEL = Deflater.BEST_SPEED;

  private final long serial;
  private final Mark begin;
  private final Mark end;
  private final long firstNanos;
  private final long lastNanos;
  private final long dropped;
  private final byte[] content;
  private final int contentBytes;

  private Segment(
      long serial,
      Mark begin,
      Mark end,
      long firstNanos,
      long lastNanos,
      long dropped,
      byte[] content,
      int contentBytes) {
    this.serial = serial;
    this.begin = begin;
    this.end = end;
    this.firstNanos = firstNanos;
    this.lastNanos = lastNanos;
    this.dropped = dropped;
    this.content = content;
    this.contentBytes = contentBytes;
  }

  static Segment plain(
      long serial,
      Mark begin,
      Mark end,
      long firstNanos,
      long lastNanos,
      long dropped,
      byte[] content) {
    return new Segment(serial, begin, end, firstNanos, lastNanos, dropped, content, content.length);
  }

  /** The same in less space, when it does take less. */
  public Segment compressed() {
    Deflater deflater = new Deflater(LEVEL, true);
    try {
      deflater.setInput(content());
      deflater.finish();
      byte[] less = new byte[contentBytes];
      int bytes = deflater.deflate(less);
      return deflater.finished()
          ? new Segment(
              serial,
              begin,
              end,
              firstNanos,
              lastNanos,
              dropped,
              java.util.Arrays.copyOf(less, bytes),
              contentBytes)
          : this;
    } finally {
      deflater.end();
    }
  }

  /** What {@link SegmentWriter} wrote. */
  byte[] content() {
    if (content.length == contentBytes) {
      return content;
    }
    Inflater inflater = new Inflater(true);
    try {
      byte[] whole = new byte[contentBytes];
      inflater.setInput(content);
      int bytes = inflater.inflate(whole);
      if (bytes != contentBytes) {
        throw new IllegalStateException(bytes + " bytes of " + contentBytes);
      }
      return whole;
    } catch (DataFormatException e) {
      throw new IllegalStateException("a segment of our own is damaged", e);
    } finally {
      inflater.end();
    }
  }

  /** Windows are numbered from 1 in the order they ended. */
  public long serial() {
    return serial;
  }

  public Mark begin() {
    return begin;
  }

  public Mark end() {
    return end;
  }

  public long firstNanos() {
    return firstNanos;
  }

  /** Inclusive. */
  public long lastNanos() {
    return lastNanos;
  }

  /** Events of the window whose time was not kept, and which are missing here. */
  public long dropped() {
    return dropped;
  }

  /** Memory that it takes. */
  public int bytes() {
    return content.length;
  }

  /** Whether an event or a part of one may lie in a stretch of time. */
  public boolean touches(long fromNanos, long toNanos) {
    return firstNanos < toNanos && lastNanos >= fromNanos;
  }
}
