package io.jebpf.agent.history;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The last minutes: segments in the order of their windows, bounded by age and by memory; the
 * oldest go first, those that memory drove out are counted. Whoever needs a segment for longer
 * keeps it himself, as told by a {@link Listener}. Thread-safe; the writer adds, anybody reads.
 */
public final class History {
  private final long nanosMax;
  private final long bytesMax;
  private final Deque<Segment> segments = new ArrayDeque<>();
  private final List<Listener> listeners = new ArrayList<>();
  private long bytes;
  private long lastSerial;
  private long driven;
  private boolean ended;

  /** Is told of each segment, on the writer's thread. */
  public interface Listener {
    void added(Segment segment);

    /** Whether somebody needs segments even when there is no history. */
    boolean isInterested();
  }

  /**
   * @param nanosMax age of the oldest segment; 0 keeps none
   * @param bytesMax memory of all of them
   */
  public History(long nanosMax, long bytesMax) {
    this.nanosMax = nanosMax;
    this.bytesMax = bytesMax;
  }

  public synchronized void listener(Listener listener) {
    listeners.add(listener);
  }

  /** Whether a segment would be of use: else none need be made. */
  public boolean isWanted() {
    return nanosMax > 0 || listeners().stream().anyMatch(Listener::isInterested);
  }

  private synchronized List<Listener> listeners() {
    return List.copyOf(listeners);
  }

  public void add(Segment segment) {
    synchronized (this) {
      if (nanosMax > 0) {
        segments.addLast(segment);
        bytes += segment.bytes();
        forget(segment.end().nanos());
      }
    }
    listeners().forEach(listener -> listener.added(segment));
    passed(segment.serial());
  }

  /** A window has ended that has no segment, or one that has just been added. */
  public synchronized void passed(long serial) {
    lastSerial = Math.max(lastSerial, serial);
    notifyAll();
  }

  private void forget(long nowNanos) {
    while (bytes > bytesMax && segments.size() > 1) {
      driven++;
      bytes -= segments.removeFirst().bytes();
    }
    while (segments.size() > 1 && segments.peekFirst().end().nanos() < nowNanos - nanosMax) {
      bytes -= segments.removeFirst().bytes();
    }
  }

  /** No segment will come any more. */
  public synchronized void end() {
    ended = true;
    notifyAll();
  }

  /** Waits until the windows up to this one have ended and their segments are here. */
  public synchronized void await(long serial, long deadlineNanos)
      throws InterruptedException, TimeoutException {
    while (lastSerial < serial && !ended) {
      long left = deadlineNanos - System.nanoTime();
      if (left <= 0) {
        throw new TimeoutException("the window before has not been put away");
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
  }

  /** All of them, the oldest first. */
  public synchronized List<Segment> segments() {
    return List.copyOf(segments);
  }

  public synchronized long bytes() {
    return bytes;
  }

  /** Start of the oldest window, on the clock of System.nanoTime; {@code nowNanos} without any. */
  public synchronized long oldestNanos(long nowNanos) {
    return segments.isEmpty() ? nowNanos : segments.peekFirst().begin().nanos();
  }

  /** Segments that had to go before their time, because of {@code bytesMax}. */
  public synchronized long driven() {
    return driven;
  }
}
