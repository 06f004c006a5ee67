package io.jebpf.agent.context.hook;

/**
 * Stands for {@code jdk.internal.misc.Unsafe} at compile time. {@link JebpfContext} is renamed into
 * java.base before it is defined, and this class's name with it: none of these methods ever runs.
 */
abstract class Unsafe {
  private Unsafe() {}

  static Unsafe getUnsafe() {
    throw new UnsupportedOperationException();
  }

  abstract long objectFieldOffset(Class<?> type, String field);

  abstract Object getReference(Object object, long offset);

  abstract byte getByte(Object object, long offset);

  abstract long getLongUnaligned(Object object, long offset);

  abstract long getLong(long address);

  abstract void putLong(long address, long value);

  abstract int getInt(long address);

  abstract void putInt(long address, int value);

  abstract short getShort(long address);

  abstract void putShort(long address, short value);

  abstract byte getByte(long address);

  abstract void putByte(long address, byte value);

  abstract void copyMemory(long from, long to, long bytes);

  abstract boolean compareAndSetLong(Object object, long offset, long expected, long value);

  abstract long getAndAddLong(Object object, long offset, long delta);

  abstract void storeFence();
}
