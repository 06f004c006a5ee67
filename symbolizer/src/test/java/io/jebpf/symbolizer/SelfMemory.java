package io.jebpf.symbolizer;

import java.io.IOException;
import java.io.RandomAccessFile;

/**
 * Memory of this JVM through {@code /proc/self/mem}: what tests use in place of process_vm_readv.
 */
public final class SelfMemory implements ProcessMemory {
  @Override
  public boolean read(long address, byte[] into, int offset, int length) {
    try (RandomAccessFile memory = new RandomAccessFile("/proc/self/mem", "r")) {
      memory.seek(address);
      memory.readFully(into, offset, length);
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
