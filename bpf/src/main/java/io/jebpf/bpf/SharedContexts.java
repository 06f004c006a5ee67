package io.jebpf.bpf;

import static io.jebpf.bpf.Downcall.call;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.LongConsumer;

/**
 * What other profilers read of contexts: a thread-local pointer to the record of each platform
 * thread (OTEP 4947), and the process context that says how to read it (OTEP 4719); see {@code
 * jebpf_otel.c}. The library and the words beside the table live as long as the process, and serve
 * all profilers of a JVM. Thread-safe but for {@link #publish}, which has one caller at a time.
 */
public final class SharedContexts implements LongConsumer {
  private static final long WORDS_BYTES = ContextTable.SHARED_BYTES * ContextTable.SLOTS;
  private static final int WORDS = 0;
  private static final int POINTER = 1;
  private static final int PROCESS = 2;

  private final long[] addresses;

  private SharedContexts(long[] addresses) {
    this.addresses = addresses;
  }

  /**
   * Loads what is needed.
   *
   * @param earlier {@link #addresses} of an earlier profiler of this JVM; empty when there was none
   */
  public static SharedContexts load(NativeRuntime runtime, long[] earlier)
      throws KernelException, NativeLoadException {
    if (earlier.length > 0) {
      return new SharedContexts(earlier.clone());
    }
    long[] functions =
        NativeRuntime.loadShared(runtime.places(), "jebpf_thread_pointer", "jebpf_process_context");
    long words = runtime.kernel().reserve(WORDS_BYTES);
    if (words < 0) {
      throw new KernelException(
          "mmap(" + WORDS_BYTES + " bytes)", (int) -words, "raise the limit of the address space");
    }
    return new SharedContexts(new long[] {words, functions[0], functions[1]});
  }

  /** What the next profiler of this JVM needs of this one. */
  public long[] addresses() {
    return addresses.clone();
  }

  /**
   * Address of two words for each slot: where its thread's pointer is (0: the slot is not shared),
   * and which thread of the kernel's that is.
   */
  public long words() {
    return addresses[WORDS];
  }

  /** Fills these two words for the calling thread, which must be a platform thread. */
  @Override
  public void accept(long words) {
    call(Downcall.function(addresses[POINTER]), words);
  }

  /** Links what {@link #accept} needs, so that no thread of the application has to. */
  public void prepare() {
    try (Arena arena = Arena.ofConfined()) {
      accept(arena.allocate(ContextTable.SHARED_BYTES, Long.BYTES).address());
    }
  }

  /**
   * Publishes a process context in place of the last one; an empty one withdraws it.
   *
   * @param payload serialized {@code opentelemetry.proto.processcontext.v1development}
   */
  public void publish(byte[] payload) throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocateFrom(ValueLayout.JAVA_BYTE, payload);
      long result =
          call(Downcall.function(addresses[PROCESS]), copy.address(), (long) payload.length);
      if (result < 0) {
        throw new KernelException("mmap(process context)", (int) -result, "free some memory");
      }
    }
  }
}
