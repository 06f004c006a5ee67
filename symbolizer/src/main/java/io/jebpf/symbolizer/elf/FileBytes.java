package io.jebpf.symbolizer.elf;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;

/**
 * Bytes of a file. Not thread-safe.
 *
 * <p>{@link RandomAccessFile} and not {@code FileChannel}: a channel closes itself when its thread
 * is interrupted, and keeps a direct buffer per thread.
 */
final class FileBytes implements Bytes {
  private final Path path;
  private RandomAccessFile file;

  private FileBytes(Path path, RandomAccessFile file) {
    this.path = path;
    this.file = file;
  }

  static FileBytes open(Path path) throws IOException {
    return new FileBytes(path, new RandomAccessFile(path.toFile(), "r"));
  }

  @Override
  public boolean read(long position, byte[] into, int offset, int length) {
    if (position < 0) {
      return false;
    }
    try {
      if (file == null) {
        file = new RandomAccessFile(path.toFile(), "r");
      }
      file.seek(position);
      int done = 0;
      while (done < length) {
        int count = file.read(into, offset + done, length - done);
        if (count < 0) {
          return false;
        }
        done += count;
      }
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() {
    RandomAccessFile open = file;
    file = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        // Opened for reading only: nothing can be lost.
      }
    }
  }
}
