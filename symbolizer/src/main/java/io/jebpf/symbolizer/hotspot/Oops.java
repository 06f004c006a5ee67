package io.jebpf.symbolizer.hotspot;

/**
 * Reads Java objects. The collector moves them at will, also while this code reads: a class check
 * before and a comparison after make a wrong answer improbable, never impossible; callers use this
 * for names only. Reads do not pass any barrier.
 *
 * <p>Owner: one thread.
 */
final class Oops {
  /** How references and class pointers are stored. */
  record Encoding(
      boolean narrowOops,
      long oopBase,
      int oopShift,
      boolean narrowKlass,
      boolean klassInMark,
      long klassBase,
      int klassShift,
      int markKlassShift,
      boolean coloured) {}

  /** Generational ZGC: one of bits 12 to 15 says by how far the address is shifted. */
  private static final int COLOUR_SHIFT = 12;

  private static final int KLASS_OFFSET = 8;
  private static final int ARRAY_BYTES_MAX = 4096;

  private final TargetMemory memory;
  private final Encoding encoding;
  private final Slot layoutHelper;
  private final byte[] array = new byte[ARRAY_BYTES_MAX];

  Oops(TargetMemory memory, Encoding encoding, Slot layoutHelper) {
    this.memory = memory;
    this.encoding = encoding;
    this.layoutHelper = layoutHelper;
  }

  /** The object behind an OopHandle field's value ({@code oop*}); 0 when there is none. */
  long handle(long oopHandle) {
    return oopHandle == 0 ? 0 : plain(memory.pointer(oopHandle));
  }

  /** The reference in an object's field; 0 for null. */
  long reference(long object, int offset) {
    if (!encoding.narrowOops) {
      return plain(memory.pointer(object + offset));
    }
    long narrow = memory.i32(object + offset) & 0xffff_ffffL;
    return narrow == 0 ? 0 : encoding.oopBase + (narrow << encoding.oopShift);
  }

  private long plain(long reference) {
    if (!encoding.coloured || reference == 0) {
      return reference;
    }
    long colour = reference >> COLOUR_SHIFT & 0xf;
    if (colour == 0) {
      memory.fail();
      return 0;
    }
    return reference >>> (COLOUR_SHIFT + 1 + Long.numberOfTrailingZeros(colour));
  }

  /** The object's Klass*. */
  long klass(long object) {
    if (encoding.klassInMark) {
      long narrow = memory.i64(object) >>> encoding.markKlassShift;
      return encoding.klassBase + (narrow << encoding.klassShift);
    }
    if (encoding.narrowKlass) {
      long narrow = memory.i32(object + KLASS_OFFSET) & 0xffff_ffffL;
      return encoding.klassBase + (narrow << encoding.klassShift);
    }
    return memory.pointer(object + KLASS_OFFSET);
  }

  /** Text of a byte array that holds Latin-1 or UTF-16 characters; fails the chain if it is not. */
  String text(long byteArray, boolean utf16) {
    long klass = klass(byteArray);
    int helper = (int) memory.value(klass, layoutHelper);
    int first = helper >> 16 & 0xff; // array layout helpers: bits 16 to 23 are the header's bytes
    boolean bytes = helper < 0 && (helper & 0xff) == 0; // an array of elements of 1 byte
    int lengthAt = encoding.klassInMark ? 8 : encoding.narrowKlass ? 12 : 16;
    int length = memory.i32(byteArray + lengthAt);
    if (!memory.ok() || !bytes || first <= lengthAt || length < 0) {
      memory.fail();
      return "";
    }
    int part = Math.min(length, ARRAY_BYTES_MAX) & (utf16 ? -2 : -1);
    if (!memory.bytes(byteArray + first, array, 0, part)) {
      return "";
    }
    int step = utf16 ? 2 : 1;
    char[] chars = new char[part / step];
    for (int i = 0; i < chars.length; i++) {
      chars[i] = (char) (utf16 ? Bytes.i16(array, 2 * i) : Bytes.u8(array, i));
    }
    ModifiedUtf8.replaceLoneSurrogates(chars, chars.length);
    return new String(chars);
  }
}
