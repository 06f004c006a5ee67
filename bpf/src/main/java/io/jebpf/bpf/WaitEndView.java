package io.jebpf.bpf;

import java.nio.ByteBuffer;

/**
 * The end of a wait whose stack was taken ({@code struct jebpf_wait_end}); the wait is the one with
 * the same tid, thread start and wait start. Valid inside {@link SampleHandler#onWaitEnd} only;
 * reused. All times are on CLOCK_MONOTONIC.
 */
public final class WaitEndView {
  private final CommNames names = new CommNames();
  private ByteBuffer buffer = ByteBuffer.allocate(0);
  private int base;

  WaitEndView() {}

  /** Points the view at a record; false if it is not whole. */
  boolean at(ByteBuffer in, int offset, int length) {
    if (length < Layout.WAIT_END_BYTES
        || in.getInt(offset + Layout.WAIT_END_SIZE) != Layout.WAIT_END_BYTES) {
      return false;
    }
    buffer = in;
    base = offset;
    return true;
  }

  public long waitStartNanos() {
    return buffer.getLong(base + Layout.WAIT_END_START);
  }

  /** From here on the thread waited for a CPU. */
  public long wokenNanos() {
    return buffer.getLong(base + Layout.WAIT_END_WOKEN);
  }

  /** The thread runs again. */
  public long endNanos() {
    return buffer.getLong(base + Layout.WAIT_END_END);
  }

  public long threadStartNanos() {
    return buffer.getLong(base + Layout.WAIT_END_THREAD_START);
  }

  public int tid() {
    return buffer.getInt(base + Layout.WAIT_END_TID);
  }

  /** For how long since {@link #wokenNanos} it waited for the ticker, which had its CPU. */
  public long tickNanos() {
    return Integer.toUnsignedLong(buffer.getInt(base + Layout.WAIT_END_TICK));
  }

  /** Who woke it, in the kernel's numbers; 0 when unknown. */
  public int wakerTid() {
    return buffer.getInt(base + Layout.WAIT_END_WAKER_TID);
  }

  /**
   * Slot of the waker's clock, or -1: it is no thread of this process. The slot may be another
   * thread's by now: its clock says whose it is, by {@link #wakerTid}.
   */
  public int wakerSlot() {
    return buffer.getInt(base + Layout.WAIT_END_WAKER_SLOT) - 1;
  }

  /** The kernel's name of the waker, at most 15 bytes. */
  public String wakerComm() {
    return names.at(buffer, base + Layout.WAIT_END_WAKER_COMM);
  }
}
