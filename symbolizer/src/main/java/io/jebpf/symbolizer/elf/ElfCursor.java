package io.jebpf.symbolizer.elf;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Reads little-endian values one after the other from a range of an image, through one chunk of
 * buffer. Damage never throws: a read past the end or of unreadable bytes gives 0 and sets {@link
 * #failed}, so that decoders check once per record. Not thread-safe.
 */
public final class ElfCursor {
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  /** A LEB128 of 64 bits has at most 10 bytes. */
  private static final int LEB_BYTES_MAX = 10;

  private static final int CHUNK_BYTES_MIN = 64;

  private final Bytes bytes;
  private final long base;
  private final long length;
  private final byte[] chunk;
  private long chunkStart;
  private int chunkLength;
  private long position;
  private boolean failed;

  /** Positions count from {@code base} of {@code bytes}, up to {@code length}. */
  ElfCursor(Bytes bytes, long base, long length, int chunkBytes) {
    this.bytes = bytes;
    this.base = base;
    this.length = length;
    this.chunk = new byte[(int) Math.max(CHUNK_BYTES_MIN, Math.min(chunkBytes, length))];
  }

  public long position() {
    return position;
  }

  public long length() {
    return length;
  }

  public long remaining() {
    return length - position;
  }

  /** Whether any read since the last {@link #seek} left the range or could not be done. */
  public boolean failed() {
    return failed;
  }

  /** Moves to a position and forgets failures; a position outside the range fails the next read. */
  public void seek(long newPosition) {
    position = newPosition;
    failed = false;
  }

  /** Drops what is buffered: the next read goes to the source again. */
  void forget() {
    chunkLength = 0;
  }

  public void skip(long count) {
    if (count < 0 || count > length - position) {
      fail();
    } else {
      position += count;
    }
  }

  public int u8() {
    int at = need(1);
    return at < 0 ? 0 : chunk[at] & 0xff;
  }

  public int u16() {
    int at = need(2);
    return at < 0 ? 0 : (short) SHORT.get(chunk, at) & 0xffff;
  }

  public int i32() {
    int at = need(4);
    return at < 0 ? 0 : (int) INT.get(chunk, at);
  }

  public long u32() {
    return i32() & 0xffff_ffffL;
  }

  public long u64() {
    int at = need(8);
    return at < 0 ? 0 : (long) LONG.get(chunk, at);
  }

  public long uleb() {
    long value = 0;
    for (int i = 0; i < LEB_BYTES_MAX; i++) {
      int next = u8();
      value |= (long) (next & 0x7f) << (7 * i);
      if (next < 0x80) {
        return value;
      }
    }
    fail();
    return 0;
  }

  public long sleb() {
    long value = 0;
    for (int i = 0; i < LEB_BYTES_MAX; i++) {
      int next = u8();
      value |= (long) (next & 0x7f) << (7 * i);
      if (next < 0x80) {
        int bits = 7 * (i + 1);
        return (next & 0x40) != 0 && bits < Long.SIZE ? value | -1L << bits : value;
      }
    }
    fail();
    return 0;
  }

  /** Copies the next bytes; false (and {@link #failed}) when they are not all there. */
  public boolean bytes(byte[] into, int offset, int count) {
    if (position < 0 || count > length - position) {
      fail();
      return false;
    }
    int at = 0;
    while (at < count) {
      int part = Math.min(count - at, chunk.length);
      int from = need(part);
      if (from < 0) {
        return false;
      }
      System.arraycopy(chunk, from, into, offset + at, part);
      at += part;
    }
    return true;
  }

  /** Index in the chunk of the next {@code count} bytes, which are consumed; -1 on failure. */
  private int need(int count) {
    long at = position - chunkStart;
    if (at >= 0 && at <= chunkLength - count) {
      position += count;
      return (int) at;
    }
    return refill(count);
  }

  private int refill(int count) {
    if (failed || position < 0 || position > length - count) {
      return fail();
    }
    int wanted = (int) Math.min(chunk.length, length - position);
    chunkStart = position;
    chunkLength = 0;
    if (!bytes.read(base + position, chunk, 0, wanted)) {
      // The end of the range may be unreadable (a truncated file, an unmapped page).
      wanted = count;
      if (!bytes.read(base + position, chunk, 0, wanted)) {
        return fail();
      }
    }
    chunkLength = wanted;
    position += count;
    return 0;
  }

  /** Moves to the end, so that a loop over what remains ends too. */
  private int fail() {
    failed = true;
    position = length;
    return -1;
  }
}
