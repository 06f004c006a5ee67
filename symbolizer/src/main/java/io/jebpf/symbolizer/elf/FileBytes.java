package io.jebpf.symbolizer.elf;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;

/**
 * Bytes of a file. When the file is opened again after {@link #close} it must still be the same
 * one, unchanged: what was learnt from it (offsets of names, say) would mean nothing in another.
 * Not thread-safe.
 *
 * <p>{@link RandomAccessFile} and not {@code FileChannel}: a channel closes itself when its thread
 * is interrupted, and keeps a direct buffer per thread.
 */
final class FileBytes implements Bytes {
  private final Path path;
  private final Identity identity;
  private RandomAccessFile file;

  /** What tells a file from one that took its place; {@code key} is device and inode. */
  private record Identity(Object key, long bytes, FileTime modified) {
    static Identity of(Path path) throws IOException {
      BasicFileAttributes found = Files.readAttributes(path, BasicFileAttributes.class);
      // Opening a FIFO that took the file's place would block.
      if (!found.isRegularFile()) {
        throw new IOException("not a regular file");
      }
      return new Identity(String.valueOf(found.fileKey()), found.size(), found.lastModifiedTime());
    }
  }

  private FileBytes(Path path, Identity identity, RandomAccessFile file) {
    this.path = path;
    this.identity = identity;
    this.file = file;
  }

  static FileBytes open(Path path) throws IOException {
    Identity identity = Identity.of(path);
    return new FileBytes(path, identity, new RandomAccessFile(path.toFile(), "r"));
  }

  @Override
  public boolean read(long position, byte[] into, int offset, int length) {
    if (position < 0) {
      return false;
    }
    try {
      if (file == null) {
        if (!Identity.of(path).equals(identity)) {
          return false;
        }
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
