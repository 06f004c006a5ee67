package io.jebpf.agent.window;

/**
 * When each sample and each piece of a wait of a window was, beside the rows that add them up:
 * about 7 bytes a sample and 15 a piece. So any stretch of time can be taken out of a window to the
 * nanosecond. Bounded: what does not fit is in the window's rows only, and counted.
 *
 * <pre>
 * sample: (time - time before) zigzag << 1 | same weight as before   row   [weight]
 * piece:  (end - end before) zigzag << 2 | counted << 1 | weighted   row   end - turn   turn - from   [weight]
 * </pre>
 *
 * Owner: the thread that owns the window.
 */
public final class EventLog {
  private static final int CAPACITY_FIRST = 1 << 12;
  private static final int SAMPLE_SHIFT = 1;
  private static final int WAIT_SHIFT = 2;
  private static final int WEIGHTED = 1;
  private static final int COUNTED = 2;

  private final int bytesMax;
  private final VarintWriter samples = new VarintWriter(CAPACITY_FIRST);
  private final VarintWriter waits = new VarintWriter(CAPACITY_FIRST);
  private long sampleTime;
  private long sampleWeight;
  private long waitEnd;
  private long firstNanos = Long.MAX_VALUE;
  private long lastNanos = Long.MIN_VALUE;
  private long dropped;

  /** Gets the events of a log in the order they came. */
  public interface Sink {
    void sample(long timeNanos, int row, long weight);

    /**
     * A stretch of a wait: asleep from {@code from} to {@code turn}, then waiting for a CPU.
     *
     * @param weight how many waits it stands for
     * @param count what it adds to the number of waits: its weight, or 0 for the rest of one that
     *     was counted before
     */
    void wait(int row, long from, long turn, long end, double weight, double count);
  }

  /**
   * @param bytesMax of samples, and of waits; 0 keeps nothing and counts nothing
   */
  EventLog(int bytesMax) {
    this.bytesMax = bytesMax;
  }

  void sample(long timeNanos, int row, long weight) {
    if (isFull(samples)) {
      return;
    }
    boolean same = weight == sampleWeight;
    samples.number(zigzag(timeNanos - sampleTime) << SAMPLE_SHIFT | (same ? 1 : 0));
    samples.number(row);
    if (!same) {
      samples.number(weight);
    }
    sampleTime = timeNanos;
    sampleWeight = weight;
    cover(timeNanos, timeNanos);
  }

  void wait(int row, long from, long turn, long end, double weight, boolean counted) {
    if (isFull(waits)) {
      return;
    }
    int flags = (counted ? COUNTED : 0) | (weight == 1 ? 0 : WEIGHTED);
    waits.number(zigzag(end - waitEnd) << WAIT_SHIFT | flags);
    waits.number(row);
    waits.number(end - turn);
    waits.number(turn - from);
    if (weight != 1) {
      waits.real(weight);
    }
    waitEnd = end;
    cover(from, end - 1);
  }

  private static long zigzag(long value) {
    return value << 1 ^ value >> 63;
  }

  private boolean isFull(VarintWriter writer) {
    if (writer.size() < bytesMax) {
      return false;
    }
    dropped += bytesMax == 0 ? 0 : 1;
    return true;
  }

  private void cover(long from, long to) {
    firstNanos = Math.min(firstNanos, from);
    lastNanos = Math.max(lastNanos, to);
  }

  boolean isNearlyFull() {
    return bytesMax != 0 && Math.max(samples.size(), waits.size()) > bytesMax / 8 * 7;
  }

  /** Events that are in the window's rows only. */
  public long dropped() {
    return dropped;
  }

  /** Time of the earliest event; Long.MAX_VALUE when there is none. */
  public long firstNanos() {
    return firstNanos;
  }

  /** Time of the last event, inclusive; Long.MIN_VALUE when there is none. */
  public long lastNanos() {
    return lastNanos;
  }

  void clear() {
    samples.clear();
    waits.clear();
    sampleTime = 0;
    sampleWeight = 0;
    waitEnd = 0;
    firstNanos = Long.MAX_VALUE;
    lastNanos = Long.MIN_VALUE;
    dropped = 0;
  }

  /** Appends the log to another form, from which {@link #read} reads it. */
  public void writeTo(VarintWriter out) {
    out.nested(samples);
    out.nested(waits);
  }

  public static void read(VarintReader in, Sink sink) {
    readSamples(in.nested(), sink);
    readWaits(in.nested(), sink);
  }

  private static void readSamples(VarintReader in, Sink sink) {
    long time = 0;
    long weight = 0;
    while (in.hasMore()) {
      long head = in.number();
      time += unzigzag(head >>> SAMPLE_SHIFT);
      int row = in.count();
      weight = (head & 1) != 0 ? weight : in.number();
      sink.sample(time, row, weight);
    }
  }

  private static void readWaits(VarintReader in, Sink sink) {
    long end = 0;
    while (in.hasMore()) {
      long head = in.number();
      end += unzigzag(head >>> WAIT_SHIFT);
      int row = in.count();
      long turn = end - in.number();
      long from = turn - in.number();
      double weight = (head & WEIGHTED) != 0 ? in.real() : 1;
      sink.wait(row, from, turn, end, weight, (head & COUNTED) != 0 ? weight : 0);
    }
  }

  private static long unzigzag(long value) {
    return value >>> 1 ^ -(value & 1);
  }
}
