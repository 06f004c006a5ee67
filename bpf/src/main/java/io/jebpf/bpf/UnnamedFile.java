package io.jebpf.bpf;

import static io.jebpf.bpf.Downcall.call;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * A file that has no name while it is written (O_TMPFILE) and gets one when it is whole. A process
 * that is killed in between leaves nothing. Owner: one thread.
 */
public final class UnnamedFile implements AutoCloseable {
  private static final int EEXIST = 17;

  private final int fd;
  private boolean closed;

  private UnnamedFile(int fd) {
    this.fd = fd;
  }

  /** Bound at the first use: the helper library has to be loaded before. */
  private static final class Functions {
    static final MemorySegment OPEN =
        Downcall.function(NativeRuntime.helperSymbol("jebpf_unnamed_open"));
    static final MemorySegment LINK =
        Downcall.function(NativeRuntime.helperSymbol("jebpf_unnamed_link"));
    static final MemorySegment CLOSE = Downcall.function(NativeRuntime.helperSymbol("jebpf_close"));
  }

  /** Empty where the file system has no such files, or our native libraries are not loaded. */
  public static Optional<UnnamedFile> open(Path directory) {
    if (!NativeRuntime.isLoaded()) {
      return Optional.empty();
    }
    try (Arena arena = Arena.ofConfined()) {
      long path = arena.allocateFrom(directory.toString()).address();
      int fd = (int) call(Functions.OPEN, path);
      return fd < 0 ? Optional.empty() : Optional.of(new UnnamedFile(fd));
    }
  }

  /** A channel for its content; to be closed before {@link #name}. */
  public FileChannel channel() throws IOException {
    return FileChannel.open(Path.of("/proc/self/fd/" + fd), StandardOpenOption.WRITE);
  }

  /**
   * Gives the file its name.
   *
   * @throws FileAlreadyExistsException the name is taken; another may be tried
   */
  public void name(Path path) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      long name = arena.allocateFrom(path.toString()).address();
      int error = (int) call(Functions.LINK, fd, name);
      if (error == -EEXIST) {
        throw new FileAlreadyExistsException(path.toString());
      }
      if (error < 0) {
        throw new IOException("linkat(" + path + ") failed: " + Errno.text(-error));
      }
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      call(Functions.CLOSE, fd);
    }
  }
}
