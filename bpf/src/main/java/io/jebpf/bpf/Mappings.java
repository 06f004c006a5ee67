package io.jebpf.bpf;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * The executable mappings that the kernel programs walk by. Two halves: the idle one is written,
 * then they change roles, so that a walk sees either the old table or the new one. Owner: one
 * thread.
 */
public final class Mappings {
  private final ByteBuffer buffer;
  private final Target target;

  Mappings(ByteBuffer buffer, Target target) {
    this.buffer = buffer;
    this.target = target;
  }

  /**
   * Replaces the table. A walk still going on in the half that was retired by the call before this
   * one would read it while it is written: leave some milliseconds between two calls.
   *
   * @param sortedByStart disjoint, in ascending order
   * @return how many did not fit and are missing: 0 up to 8,192 mappings
   */
  public int publish(List<KernelMapping> sortedByStart) {
    int count = Math.min(sortedByStart.size(), Layout.MAPPINGS_MAX);
    checkOrder(sortedByStart, count);
    int half = 1 - target.half();
    int at = half * Layout.MAPPINGS_MAX * Layout.MAPPING_BYTES;
    for (int i = 0; i < count; i++) {
      write(at, sortedByStart.get(i));
      at += Layout.MAPPING_BYTES;
    }
    target.flip(half, count);
    return sortedByStart.size() - count;
  }

  private static void checkOrder(List<KernelMapping> mappings, int count) {
    long end = 0;
    for (int i = 0; i < count; i++) {
      KernelMapping mapping = mappings.get(i);
      if (Long.compareUnsigned(mapping.start(), end) < 0
          || Long.compareUnsigned(mapping.end(), mapping.start()) <= 0) {
        throw new IllegalArgumentException(
            "mapping "
                + i
                + " is empty, overlaps the one before it or is out of order: "
                + mapping);
      }
      end = mapping.end();
    }
  }

  private void write(int at, KernelMapping mapping) {
    buffer.putLong(at + Layout.MAPPING_START, mapping.start());
    buffer.putLong(at + Layout.MAPPING_END, mapping.end());
    buffer.putLong(at + Layout.MAPPING_BIAS, mapping.bias());
    buffer.putInt(at + Layout.MAPPING_MODULE, mapping.module());
    buffer.putInt(at + Layout.MAPPING_TABLE, mapping.table());
    buffer.putInt(at + Layout.MAPPING_ROWS, mapping.rows());
    buffer.putInt(at + Layout.MAPPING_FLAGS, mapping.flags());
  }
}
