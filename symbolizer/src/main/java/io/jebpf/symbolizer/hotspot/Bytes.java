package io.jebpf.symbolizer.hotspot;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Little-endian numbers in byte arrays. */
final class Bytes {
  private static final VarHandle I16 = view(short[].class);
  private static final VarHandle I32 = view(int[].class);
  private static final VarHandle I64 = view(long[].class);

  private Bytes() {}

  static int u8(byte[] bytes, int at) {
    return bytes[at] & 0xff;
  }

  static int i16(byte[] bytes, int at) {
    return (short) I16.get(bytes, at);
  }

  static int i32(byte[] bytes, int at) {
    return (int) I32.get(bytes, at);
  }

  static long i64(byte[] bytes, int at) {
    return (long) I64.get(bytes, at);
  }

  /** The field at {@code base + slot.offset()}, extended to 64 bits as its type says. */
  static long value(byte[] bytes, int base, Slot slot) {
    int at = base + slot.offset();
    return switch (slot.bytes()) {
      case 1 -> slot.signed() ? bytes[at] : u8(bytes, at);
      case 2 -> slot.signed() ? i16(bytes, at) : i16(bytes, at) & 0xffff;
      case 4 -> slot.signed() ? i32(bytes, at) : i32(bytes, at) & 0xffff_ffffL;
      default -> i64(bytes, at);
    };
  }

  private static VarHandle view(Class<?> arrayClass) {
    return MethodHandles.byteArrayViewVarHandle(arrayClass, ByteOrder.LITTLE_ENDIAN);
  }
}
