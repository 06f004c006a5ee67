package io.jebpf.agent.ondemand;

import io.jebpf.agent.history.Segment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * A stretch of time that somebody wants the profile of: two instants, and the segments in between
 * for longer than the history keeps them. Guarded by {@link Recordings}.
 */
final class Recording {
  static final long RUNNING = Long.MAX_VALUE;

  final long id;
  String name;
  long durationNanos;
  long ageNanosMax;
  long bytesMax;

  /** Long.MAX_VALUE: not started yet. */
  long startNanos = RUNNING;

  /** {@link #RUNNING} until it is stopped. */
  long stopNanos = RUNNING;

  /** When somebody last dealt with it. */
  long touchedNanos;

  /** Segments that had to go because of its own limits, or of those for all recordings. */
  long dropped;

  private final Deque<Segment> segments = new ArrayDeque<>();
  private long bytes;

  Recording(long id, String name, long nowNanos) {
    this.id = id;
    this.name = name;
    this.touchedNanos = nowNanos;
  }

  boolean isStarted() {
    return startNanos != RUNNING;
  }

  boolean isStopped() {
    return stopNanos != RUNNING;
  }

  boolean isRunning() {
    return isStarted() && !isStopped();
  }

  /** The beginning of what is asked for: its start, or later by its age. */
  long fromNanos(long nowNanos) {
    return Math.max(startNanos, Math.min(stopNanos, nowNanos) - ageNanosMax);
  }

  /** Keeps a segment that touches it; those too old or too many go. */
  void offer(Segment segment, long nowNanos) {
    if (!isStarted() || !segment.touches(startNanos, stopNanos)) {
      return;
    }
    segments.addLast(segment);
    bytes += segment.bytes();
    long from = fromNanos(nowNanos);
    while (!segments.isEmpty() && segments.peekFirst().lastNanos() < from) {
      bytes -= segments.removeFirst().bytes(); // what its age leaves out is no loss
    }
    while (bytes > bytesMax && segments.size() > 1) {
      dropOldest();
    }
  }

  void dropOldest() {
    bytes -= segments.removeFirst().bytes();
    dropped++;
  }

  List<Segment> segments() {
    return List.copyOf(segments);
  }

  /** From then on all that happened is in its segments. */
  long knownFromNanos() {
    return segments.isEmpty() ? Long.MAX_VALUE : segments.peekFirst().begin().nanos();
  }

  long bytes() {
    return bytes;
  }

  /** Serial of its oldest segment; Long.MAX_VALUE without any. */
  long oldestSerial() {
    return segments.isEmpty() ? Long.MAX_VALUE : segments.peekFirst().serial();
  }
}
