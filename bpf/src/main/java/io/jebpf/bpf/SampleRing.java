package io.jebpf.bpf;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Reads the kernel's ring buffer ({@code samples}) where it is mapped, without system calls. Owner:
 * the thread that polls. Closed with its {@link KernelPrograms}; polling after that is an
 * IllegalStateException.
 *
 * <pre>
 *  consumer page (ours to write)     0: consumer position, u64
 *  producer pages (read only)        0: producer position, u64
 *                                 page: data
 *  record   0: u32 length | BUSY (bit 31) | DISCARD (bit 30)
 *           4: u32 page offset
 *           8: payload, padded to a multiple of 8
 * </pre>
 *
 * (kernel/bpf/ringbuf.c at v6.1.) Both positions only grow; a position's place is the position
 * modulo the size. The kernel offers the data twice in a row, so that a record never wraps. We map
 * it once, since the second view would count as resident memory again, and copy the one record of
 * each round that goes over the end.
 */
public final class SampleRing {
  private static final VarHandle LONG =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());
  private static final VarHandle INT =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());

  private static final int BUSY = 1 << 31;
  private static final int DISCARD = 1 << 30;
  private static final int HEADER_BYTES = 8;

  /** More than the longest record: a sample with all its frames has 33,400 bytes. */
  static final int RECORD_BYTES_MAX = 64 * 1024;

  private final ByteBuffer consumer;
  private final ByteBuffer producer;
  private final int data;
  private final long mask;
  private final SampleView view = new SampleView();
  private final WaitEndView waitEnd = new WaitEndView();
  private final ParkView park = new ParkView();
  private final ByteBuffer straight;
  private long position;
  private long malformed;

  /**
   * @param dataOffset where the data starts behind the producer position
   * @param bytes size of the ring, a power of two
   * @param straight {@link #RECORD_BYTES_MAX} bytes for the record that goes over the end
   */
  SampleRing(
      ByteBuffer consumer, ByteBuffer producer, int dataOffset, int bytes, ByteBuffer straight) {
    this.consumer = consumer;
    this.producer = producer;
    this.data = dataOffset;
    this.straight = straight.order(ByteOrder.nativeOrder());
    this.mask = bytes - 1L;
    this.position = (long) LONG.getAcquire(consumer, 0);
  }

  /**
   * Hands at most {@code recordsMax} samples to the handler and frees their space. Never blocks. A
   * sample whose handler throws is consumed too.
   *
   * @return records taken, 0 when there are none
   */
  public int poll(SampleHandler handler, int recordsMax) {
    long at = position;
    long end =
        (long) LONG.getAcquire(producer, 0); // pairs with the release in __bpf_ringbuf_reserve
    int taken = 0;
    while (at < end && taken < recordsMax) {
      int place = (int) (at & mask);
      int header =
          (int) INT.getAcquire(producer, data + place); // pairs with the xchg in bpf_ringbuf_commit
      if ((header & BUSY) != 0) {
        break; // reserved and not yet written; later records wait for it
      }
      int length = header & ~(BUSY | DISCARD);
      at += (HEADER_BYTES + (long) length + 7) & ~7L;
      taken++;
      try {
        if ((header & DISCARD) == 0) {
          take(handler, (int) (place + HEADER_BYTES & mask), length);
        }
      } finally {
        position = at;
        LONG.setRelease(
            consumer, 0, at); // pairs with the acquire of cons_pos in the kernel's reserve
      }
    }
    return taken;
  }

  private void take(SampleHandler handler, int place, int length) {
    int beforeEnd = (int) mask + 1 - place;
    if (length <= beforeEnd) {
      hand(handler, producer, data + place, length);
    } else if (length <= RECORD_BYTES_MAX) {
      straight.put(0, producer, data + place, beforeEnd);
      straight.put(beforeEnd, producer, data, length - beforeEnd);
      hand(handler, straight, 0, length);
    } else {
      malformed++;
    }
  }

  private void hand(SampleHandler handler, ByteBuffer in, int offset, int length) {
    int type = length < Integer.BYTES ? 0 : in.getInt(offset + Layout.SAMPLE_TYPE);
    boolean whole =
        switch (type) {
          case Layout.RECORD_SAMPLE, Layout.RECORD_WAIT, Layout.RECORD_WAKER ->
              view.at(in, offset, length);
          case Layout.RECORD_WAIT_END -> waitEnd.at(in, offset, length);
          case Layout.RECORD_PARK ->
              view.at(in, offset, length) && park.at(in, offset, length, view.frameEnd());
          default -> false;
        };
    if (!whole) {
      malformed++;
    } else if (type == Layout.RECORD_WAIT_END) {
      handler.onWaitEnd(waitEnd);
    } else if (type == Layout.RECORD_PARK) {
      handler.onPark(view, park);
    } else {
      handler.onSample(view);
    }
  }

  /** Bytes written and not yet polled. */
  public long backlogBytes() {
    return (long) LONG.getAcquire(producer, 0) - position;
  }

  /** Size of the ring. */
  public long capacityBytes() {
    return mask + 1;
  }

  /** Records that were not whole samples: always 0 unless header and kernel object do not fit. */
  public long malformedRecords() {
    return malformed;
  }
}
