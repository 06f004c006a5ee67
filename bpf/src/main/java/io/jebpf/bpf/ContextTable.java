package io.jebpf.bpf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The table of what threads work for, as drawn in {@code jebpf_types.h}: each thread writes its own
 * slot, the kernel programs read it while the thread is stopped. Memory of this process that lives
 * as long as it: a thread may be about to write when the profiler ends. Thread-safe.
 */
@SuppressWarnings("restricted")
public final class ContextTable {
  /** A thread's id picks its group. */
  public static final int GROUPS = 8192;

  /** Threads of one group that can have a context at the same time. */
  public static final int WAYS = 8;

  public static final int SLOTS = GROUPS * WAYS;

  /** From here on records lie, two a slot. */
  public static final long OWNERS_BYTES = 8L * SLOTS;

  /** Behind the records: words for who writes the table, see there. */
  public static final long TAIL = OWNERS_BYTES + 2L * SLOTS * Layout.CONTEXT_BYTES;

  public static final int TAIL_BYTES = 1 << 20;

  private static final long TAKEN = -1; // owner's word while a slot is being taken
  private static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();

  /** Of a slot: where its thread's pointer is, and the thread's id. */
  static final long SHARED_BYTES = 16;

  private static final int SHARED_TID = 8;

  private static final int RECORD_VALID = Layout.CONTEXT_VALID;

  private final MemorySegment memory;

  /** By slot, where other profilers are told of its record; null: they are not. */
  private volatile MemorySegment pointers;

  private ContextTable(long address) {
    memory = MemorySegment.ofAddress(address).reinterpret(TAIL + TAIL_BYTES);
  }

  /** A new table; takes memory as it is used. */
  public static ContextTable reserve(NativeRuntime runtime) throws KernelException {
    long address = runtime.kernel().reserve(TAIL + TAIL_BYTES);
    if (address < 0) {
      throw new KernelException(
          "mmap(" + (TAIL + TAIL_BYTES) + " bytes)",
          (int) -address,
          "raise the limit of the address space");
    }
    return new ContextTable(address);
  }

  /** The table that an earlier profiler of this JVM made. */
  public static ContextTable at(long address) {
    return new ContextTable(address);
  }

  public long address() {
    return memory.address();
  }

  /** A word behind the records. */
  public long tail(int word) {
    return (long) WORD.getAcquire(memory, TAIL + 8L * word);
  }

  /** The id of the thread that has a slot; 0 when it is free, or being taken. */
  public long owner(int slot) {
    long word = word(slot);
    return word == TAKEN ? 0 : word >>> 1;
  }

  private long word(int slot) {
    return (long) WORD.getAcquire(memory, 8L * slot);
  }

  /** Takes a slot from a thread that has ended, or a free one (0), so that nobody else has it. */
  public boolean seize(int slot, long threadId) {
    long word = word(slot);
    return word != TAKEN
        && word >>> 1 == threadId
        && WORD.compareAndSet(memory, 8L * slot, word, TAKEN);
  }

  /**
   * Other profilers are told of records.
   *
   * @param words {@link SharedContexts#words}
   */
  public void share(long words) {
    pointers = MemorySegment.ofAddress(words).reinterpret(SHARED_BYTES * SLOTS);
  }

  private boolean isShared(int slot) {
    MemorySegment words = pointers;
    return words != null && (long) WORD.getAcquire(words, SHARED_BYTES * slot) != 0;
  }

  /**
   * The kernel's thread whose pointer leads to a slot; 0: there is none. As long as it lives the
   * slot must not become another thread's, even where the Java thread has ended.
   */
  public long pointingThread(int slot) {
    return isShared(slot) ? (long) WORD.getAcquire(pointers, SHARED_BYTES * slot + SHARED_TID) : 0;
  }

  /**
   * Frees every slot: what an earlier profiler left there may not be so any more. A slot that other
   * profilers were told of stays with its thread, empty: they would take the next one's context for
   * that of this thread.
   */
  public void clear() {
    for (int slot = 0; slot < SLOTS; slot++) {
      if (isShared(slot)) {
        empty(slot);
      } else if (word(slot) != 0) {
        WORD.setRelease(memory, 8L * slot, 0L);
      }
    }
  }

  /** No context that other profilers were told of is valid any more. */
  public void emptyShared() {
    for (int slot = 0; slot < SLOTS; slot++) {
      if (isShared(slot)) {
        empty(slot);
      }
    }
  }

  /**
   * No context in a slot. Its thread's pointer may be gone with the thread; the records are ours.
   */
  public void empty(int slot) {
    int group = slot / WAYS;
    int way = slot % WAYS;
    for (int record = 0; record < 2; record++) {
      long at = OWNERS_BYTES + (((long) way * GROUPS + group) * 2 + record) * Layout.CONTEXT_BYTES;
      memory.set(ValueLayout.JAVA_INT, at + RECORD_VALID, 0); // and no attributes
    }
  }

  /** Gives a slot that was seized back. */
  public void free(int slot) {
    MemorySegment words = pointers;
    if (words != null) {
      WORD.setRelease(words, SHARED_BYTES * slot, 0L); // the thread has ended
    }
    WORD.compareAndSet(memory, 8L * slot, TAKEN, 0L);
  }

  /**
   * Copies a thread's context; false when it has none. The thread may change it meanwhile: what is
   * read then may be of two moments, so ask for threads that wait.
   */
  public boolean read(long threadId, ContextView into) {
    int group = (int) (threadId & (GROUPS - 1));
    for (int way = 0; way < WAYS; way++) {
      long word = word(group * WAYS + way);
      if (word >>> 1 == threadId) {
        long at =
            OWNERS_BYTES + ((long) way * GROUPS + group << 1 | word & 1) * Layout.CONTEXT_BYTES;
        ByteBuffer record =
            memory.asSlice(at, Layout.CONTEXT_BYTES).asByteBuffer().order(ByteOrder.nativeOrder());
        boolean whole = into.at(record, 0, Layout.CONTEXT_BYTES);
        return whole && word(group * WAYS + way) == word;
      }
    }
    return false;
  }
}
