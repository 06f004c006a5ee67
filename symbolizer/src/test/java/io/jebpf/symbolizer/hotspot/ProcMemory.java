package io.jebpf.symbolizer.hotspot;

import io.jebpf.symbolizer.ProcessMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Memory of this process or of a child through {@code /proc/<pid>/mem}; needs no rights for either.
 */
final class ProcMemory implements ProcessMemory, AutoCloseable {
  private final FileChannel channel;

  ProcMemory(long pid) throws IOException {
    channel = FileChannel.open(Path.of("/proc/" + pid + "/mem"), StandardOpenOption.READ);
  }

  @Override
  public boolean read(long address, byte[] into, int offset, int length) {
    ByteBuffer buffer = ByteBuffer.wrap(into, offset, length);
    try {
      while (buffer.hasRemaining()) {
        if (channel.read(buffer, address + buffer.position() - offset) <= 0) {
          return false;
        }
      }
      return true;
    } catch (IOException unmapped) {
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
