package io.jebpf.bpf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.OptionalLong;

/**
 * The table in which carriers note the virtual threads that the JVM has unmounted, written by
 * {@code java.lang.JebpfParks} only (docs/adr/0007). One for the life of the process, as compiled
 * code has its address; takes memory as it is used.
 *
 * <pre>
 *  ids    group of 32 bytes, by the end of the thread's id: 4 slots, each an id or 0: free
 *  notes  for each slot   0: the page's word then   8: start or 0   16: enum jebpf_park_kind   24: -
 * </pre>
 *
 * Carriers look for ids at each mount, for notes seldom: the ids of a group are in one cache line.
 */
final class BlockedThreads {
  /** A power of two. As many threads with ids in a row have each a group of their own. */
  static final int GROUPS = 16_384;

  static final long IDS_BYTES = GROUPS * 32L;
  private static final long BYTES = IDS_BYTES + GROUPS * 128L;
  private static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();

  private static MemorySegment memory = MemorySegment.NULL;

  private BlockedThreads() {}

  /** Its address, with all slots free; empty when there is no memory for it. */
  @SuppressWarnings("restricted")
  static synchronized OptionalLong cleared(KernelCalls kernel) {
    if (memory.address() == 0) {
      long address = kernel.reserve(BYTES);
      if (address < 0) {
        return OptionalLong.empty();
      }
      memory = MemorySegment.ofAddress(address).reinterpret(BYTES);
    }
    for (long at = 0; at < IDS_BYTES; at += Long.BYTES) {
      if ((long) WORD.getAcquire(memory, at) != 0) { // else its page may not be there yet
        WORD.setRelease(memory, at, 0L);
      }
    }
    return OptionalLong.of(memory.address());
  }
}
