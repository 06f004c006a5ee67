package io.jebpf.symbolizer.hotspot;

import io.jebpf.symbolizer.ProcessMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A small fabricated address space; can fail its nth read and run something before the nth. */
final class FakeMemory implements ProcessMemory {
  static final long BASE = 0x10000;
  private final ByteBuffer bytes = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
  int reads;
  int failAt = -1;
  int runAt = -1;
  Runnable run = () -> {};

  FakeMemory i8(long address, int value) {
    bytes.put((int) (address - BASE), (byte) value);
    return this;
  }

  FakeMemory i16(long address, int value) {
    bytes.putShort((int) (address - BASE), (short) value);
    return this;
  }

  FakeMemory i32(long address, int value) {
    bytes.putInt((int) (address - BASE), value);
    return this;
  }

  FakeMemory i64(long address, long value) {
    bytes.putLong((int) (address - BASE), value);
    return this;
  }

  FakeMemory put(long address, byte[] value) {
    bytes.put((int) (address - BASE), value);
    return this;
  }

  @Override
  public boolean read(long address, byte[] into, int offset, int length) {
    int number = reads++;
    if (number == runAt) {
      run.run();
    }
    long at = address - BASE;
    if (number == failAt || at < 0 || at + length > bytes.capacity()) {
      return false;
    }
    bytes.get((int) at, into, offset, length);
    return true;
  }
}
