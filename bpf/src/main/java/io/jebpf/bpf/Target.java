package io.jebpf.bpf;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * {@code struct jebpf_target}, shared with the running programs. Each field has one writer: tgid
 * {@link KernelPrograms}, period {@link CpuSampler}, clocks {@link OffCpu}, the reader's sleep
 * {@link Alarm}, the rest {@link Mappings}.
 */
final class Target {
  private static final VarHandle INT =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());
  private static final VarHandle LONG =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());

  private final ByteBuffer buffer;

  Target(ByteBuffer buffer) {
    this.buffer = buffer;
  }

  void tgid(int tgid) {
    INT.setRelease(buffer, Layout.TARGET_TGID, tgid);
  }

  void periodNanos(long nanos) {
    LONG.setRelease(buffer, Layout.TARGET_PERIOD, nanos);
  }

  /** Whose threads have exact clocks; older threads' clocks start at {@code startNanos}. */
  void clocks(int tgid, long startNanos) {
    LONG.setRelease(buffer, Layout.TARGET_CLOCKS_START, startNanos);
    INT.setRelease(buffer, Layout.TARGET_CLOCKS_TGID, tgid);
  }

  /** When the reader is to be woken. */
  void readerAsleep(Alarm.Until until) {
    INT.setRelease(buffer, Layout.TARGET_READER_ASLEEP, until.ordinal());
  }

  int half() {
    return (int) INT.getAcquire(buffer, Layout.TARGET_HALF) & 1;
  }

  /** Makes a filled half the one in use. The programs read the half first, then its count. */
  void flip(int half, int count) {
    INT.setRelease(buffer, Layout.TARGET_COUNT + half * Integer.BYTES, count);
    INT.setRelease(buffer, Layout.TARGET_HALF, half);
    int generation = (int) INT.getAcquire(buffer, Layout.TARGET_GENERATION);
    INT.setRelease(buffer, Layout.TARGET_GENERATION, generation + 1);
  }
}
