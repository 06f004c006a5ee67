package io.jebpf.bpf;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;

/**
 * Native memory that is freed when its owner closes it. (What {@code ByteBuffer.allocateDirect}
 * gives is freed by a collection of garbage, which an idle JVM does not do.) Access after {@link
 * #close} is an IllegalStateException.
 */
final class NativeBuffer implements AutoCloseable {
  private static final int ALIGNMENT_BYTES = 64;

  private final Arena arena = Arena.ofShared();
  private final ByteBuffer buffer;
  private boolean closed;

  private NativeBuffer(int bytes) {
    buffer = arena.allocate(bytes, ALIGNMENT_BYTES).asByteBuffer();
  }

  static NativeBuffer allocate(int bytes) {
    return new NativeBuffer(bytes);
  }

  ByteBuffer buffer() {
    return buffer;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      arena.close();
    }
  }
}
