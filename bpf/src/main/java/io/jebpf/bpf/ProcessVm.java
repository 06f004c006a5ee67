package io.jebpf.bpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The memory of one process, read by {@code process_vm_readv}: an address that is not mapped is a
 * result, not a fault. Thread-safe; nothing is allocated per call (each thread that reads keeps one
 * native buffer).
 */
@SuppressWarnings("restricted")
public final class ProcessVm {
  private static final int CHUNK_BYTES = 64 * 1024;

  /** A thread that does not give its buffer back leaves it to the collector. */
  private static final ThreadLocal<MemorySegment> SCRATCH =
      ThreadLocal.withInitial(ProcessVm::buffer);

  /**
   * Buffers of threads that ended: a JVM in which nothing else happens may not collect for days.
   */
  private static final ConcurrentLinkedQueue<MemorySegment> SPARE = new ConcurrentLinkedQueue<>();

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

  private static MemorySegment buffer() {
    MemorySegment spare = SPARE.poll();
    return spare == null ? Arena.ofAuto().allocate(CHUNK_BYTES, 64) : spare;
  }

  /** The calling thread will not read any more: another one may have its buffer. */
  static void releaseThread() {
    SPARE.add(SCRATCH.get());
    SCRATCH.remove();
  }

  /** Reads one byte of our own memory: 1, or -errno. */
  static int probe(KernelCalls calls, int ownPid) {
    MemorySegment scratch = SCRATCH.get();
    int got = (int) calls.vmRead(ownPid, scratch.address() + 1, scratch.address(), 1);
    Reference.reachabilityFence(scratch);
    return got;
  }
}
