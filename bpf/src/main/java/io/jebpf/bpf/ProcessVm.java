package io.jebpf.bpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * The memory of one process, read by {@code process_vm_readv}: an address that is not mapped is a
 * result, not a fault. Thread-safe; nothing is allocated per call (each thread that reads keeps one
 * native buffer).
 */
@SuppressWarnings("restricted")
public final class ProcessVm {
  private static final int CHUNK_BYTES = 64 * 1024;

  /** Freed when its thread ends: plain memory, so leaving that to the collector is safe. */
  private static final ThreadLocal<MemorySegment> SCRATCH =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CHUNK_BYTES, 64));

  private final KernelCalls calls;
  private final int pid;

  ProcessVm(KernelCalls calls, int pid) {
    this.calls = calls;
    this.pid = pid;
  }

  /**
   * Copies {@code length} bytes at {@code address} to {@code into}, all or none. False: not all of
   * it could be read, and up to 64 KiB nothing in {@code into} has changed (above that its content
   * is undefined).
   */
  public boolean read(long address, byte[] into, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, into.length);
    MemorySegment scratch = SCRATCH.get();
    long local = scratch.address();
    int done = 0;
    while (done < length) {
      int part = Math.min(CHUNK_BYTES, length - done);
      if (calls.vmRead(pid, address + done, local, part) != part) {
        return false;
      }
      MemorySegment.copy(scratch, JAVA_BYTE, 0, into, offset + done, part);
      done += part;
    }
    Reference.reachabilityFence(scratch);
    return true;
  }

  /** Reads one byte of our own memory: 1, or -errno. */
  static int probe(KernelCalls calls, int ownPid) {
    MemorySegment scratch = SCRATCH.get();
    int got = (int) calls.vmRead(ownPid, scratch.address() + 1, scratch.address(), 1);
    Reference.reachabilityFence(scratch);
    return got;
  }
}
