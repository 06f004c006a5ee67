package io.jebpf.agent.pipeline;

/**
 * How long the reader pauses between two rounds: such that the buffer fills to a tenth meanwhile,
 * if it goes on as it did, and longer each time where next to nothing comes. Owner: thread
 * "jebpf-reader".
 */
final class ReaderPace {
  /**
   * The kernel side wakes us up from a long sleep only: a full buffer has to be far away at this
   * pace.
   */
  static final long USUAL_NANOS = 100_000_000L;

  private static final long BUSY_NANOS = 5_000_000L;
  private static final long IDLE_NANOS = 5_000_000_000L;

  /** Bytes that come in the usual time, up to which the pace goes down: one or two stacks. */
  private static final long IDLE_BYTES = 1_024;

  /** Share of the buffer in use from which the pace goes up. */
  private static final double BUSY_BACKLOG = 0.1;

  private long roundNanos = Long.MIN_VALUE / 2;
  private long pauseNanos = USUAL_NANOS;
  private double backlog; // a share of the buffer
  private double filled; // in the usual time, likewise
  private boolean idle;

  /**
   * A round begins.
   *
   * @param backlogBytes of the buffer in use
   */
  void begin(long nowNanos, long backlogBytes, long bufferBytes) {
    double usual = (double) USUAL_NANOS / Math.max(1, nowNanos - roundNanos);
    this.roundNanos = nowNanos;
    this.backlog = (double) backlogBytes / bufferBytes;
    this.filled = backlog * usual;
    this.idle = backlogBytes * usual <= IDLE_BYTES;
  }

  /** Whether more has come than at the usual pace. */
  boolean isBusy() {
    return backlog > BUSY_BACKLOG;
  }

  /**
   * The pause after the round.
   *
   * @param dueNanos until the window's end, which is not to be late
   */
  long pause(long dueNanos) {
    if (filled > BUSY_BACKLOG) {
      pauseNanos = USUAL_NANOS;
      return Math.max(BUSY_NANOS, (long) (USUAL_NANOS * BUSY_BACKLOG / filled));
    }
    pauseNanos = idle ? Math.min(IDLE_NANOS, 2 * pauseNanos) : USUAL_NANOS;
    return Math.min(pauseNanos, Math.max(USUAL_NANOS, dueNanos));
  }
}
