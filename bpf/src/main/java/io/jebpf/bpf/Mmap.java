package io.jebpf.bpf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A shared mapping of a BPF map. Access after {@link #close} is an IllegalStateException, never a
 * fault: the buffer belongs to an arena, and the memory is unmapped by the arena's own close.
 */
@SuppressWarnings("restricted")
final class Mmap implements AutoCloseable {
  private final Arena arena;
  private final ByteBuffer buffer;
  private boolean closed;

  private Mmap(Arena arena, ByteBuffer buffer) {
    this.arena = arena;
    this.buffer = buffer;
  }

  /** For any thread; any thread may close it. */
  static Mmap shared(
      KernelCalls calls, String name, int fd, long offset, long length, boolean writable)
      throws KernelException {
    return map(Arena.ofShared(), calls, name, fd, offset, length, writable);
  }

  /** For this thread, and soon closed: cheaper to close. */
  static Mmap temporary(KernelCalls calls, String name, int fd, long length)
      throws KernelException {
    return map(Arena.ofConfined(), calls, name, fd, 0, length, true);
  }

  private static Mmap map(
      Arena arena,
      KernelCalls calls,
      String name,
      int fd,
      long offset,
      long length,
      boolean writable)
      throws KernelException {
    long address = calls.map(fd, offset, length, writable);
    if (address < 0) {
      arena.close();
      String advice =
          -address == Errno.ENOMEM ? "free memory or raise the memory limit of the container" : "";
      throw new KernelException(
          "mmap(map=" + name + ", " + length + " bytes)", (int) -address, advice);
    }
    ByteBuffer buffer =
        MemorySegment.ofAddress(address)
            .reinterpret(length, arena, gone -> calls.unmap(address, length))
            .asByteBuffer();
    return new Mmap(
        arena, (writable ? buffer : buffer.asReadOnlyBuffer()).order(ByteOrder.nativeOrder()));
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
