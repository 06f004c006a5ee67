package io.jebpf.bpf;

import java.nio.ByteBuffer;

/**
 * A park of a virtual thread ({@code struct jebpf_park}): what stands behind the frames of its
 * sample. Valid inside {@link SampleHandler#onPark} only; reused.
 */
public final class ParkView {
  private static final long UNDIVIDED = -1; // JEBPF_PARK_UNDIVIDED

  private ByteBuffer buffer = ByteBuffer.allocate(0);
  private int base;

  ParkView() {}

  /** Points the view behind a sample's frames; false if it is not there. */
  boolean at(ByteBuffer in, int offset, int length, int frameBytes) {
    if (length < frameBytes + Layout.PARK_BYTES
        || in.getInt(offset + Layout.SAMPLE_SIZE) != frameBytes + Layout.PARK_BYTES) {
      return false;
    }
    buffer = in;
    base = offset + frameBytes;
    return true;
  }

  /** Time that the ticks which fell into the park stand for: on average, its length. */
  public long parkedNanos() {
    return buffer.getLong(base + Layout.PARK_PARKED);
  }

  /** Whether it is known when the thread was unparked. */
  public boolean isDivided() {
    return buffer.getLong(base + Layout.PARK_QUEUED) != UNDIVIDED;
  }

  /** Of {@link #parkedNanos}, the time after it was unparked; 0 when that is not known. */
  public long queuedNanos() {
    return isDivided() ? buffer.getLong(base + Layout.PARK_QUEUED) : 0;
  }

  /** The park is taken parked / thin times on average, once from there on. */
  public long thinNanos() {
    return buffer.getLong(base + Layout.PARK_THIN);
  }

  /** When it parked, on CLOCK_MONOTONIC; 0 when that was not noted. */
  public long startNanos() {
    return buffer.getLong(base + Layout.PARK_START);
  }

  /** How many this one stands for: itself, seldom twice, and those that were lost before it. */
  public long copies() {
    return buffer.getLong(base + Layout.PARK_COPIES);
  }

  /** How the thread left its carrier. */
  public ParkKind kind() {
    return ParkKind.of((int) buffer.getLong(base + Layout.PARK_KIND));
  }

  /** The ticker's period. */
  public long periodNanos() {
    return buffer.getLong(base + Layout.PARK_PERIOD);
  }
}
