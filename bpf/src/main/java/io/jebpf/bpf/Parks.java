package io.jebpf.bpf;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.OptionalLong;

/**
 * Parks of virtual threads: the page that a parking thread looks at, and the function that it calls
 * when a tick fell into its park (docs/adr/0004). The page lives as long as the process, since code
 * of the application keeps its address; {@link #close} only makes the function do nothing.
 * Thread-safe.
 */
public final class Parks implements AutoCloseable {
  // struct jebpf_parks of jebpf_native.h: 8 bytes a field
  private static final int WORD = 0;
  private static final int THIN = 8;
  private static final int PROGRAM_FD = 16;
  private static final int PERIOD = 24;
  private static final int MET = 32;
  private static final int TAKEN = 40;
  private static final int FAILED = 48;
  private static final int JAVA_FAILED = 64;
  private static final int BLOCKED = 96;
  private static final int UNNOTED = 104;
  private static final int UNPARKS = 112;
  private static final int TICKED = 120;
  private static final int BYTES = 128;

  private static final long NO_PROGRAM = -1;

  /**
   * One for the life of the process, however often a profiler starts: compiled code has its
   * address.
   */
  private static final NativeWords PAGE = NativeWords.allocate(BYTES / Long.BYTES);

  private final KernelCalls kernel;
  private final int programFd;
  private final long metBefore = PAGE.get(MET);
  private final long takenBefore = PAGE.get(TAKEN);
  private final long failedBefore = failedEver();

  Parks(KernelCalls kernel, int programFd) {
    this.kernel = kernel;
    this.programFd = programFd;
    PAGE.set(PROGRAM_FD, NO_PROGRAM);
  }

  /** Made when it is first asked for; one for all starts, for the same reason. */
  @SuppressWarnings("restricted")
  private static final class Function {
    static final MethodHandle HANDLE =
        Linker.nativeLinker()
            .downcallHandle(
                MemorySegment.ofAddress(NativeRuntime.helperSymbol("jebpf_parked")),
                FunctionDescriptor.of(
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG),
                Linker.Option.critical(false));
  }

  /** Parks are taken from now on, all that a tick of this period falls into. */
  public void open(long thinNanos) {
    thin(thinNanos);
    PAGE.set(PROGRAM_FD, programFd);
  }

  /** Address of the page; its first word is what changes at each tick. */
  public long address() {
    return PAGE.address();
  }

  /** Address of the count of calls that ended in an exception of the JVM. */
  public long failuresAddress() {
    return PAGE.address() + JAVA_FAILED;
  }

  /** Address of the count of threads that have a slot in {@link #blockedTable}. */
  public long blockedAddress() {
    return PAGE.address() + BLOCKED;
  }

  /** Address of the count of threads that blocked and found no slot. */
  public long unnotedAddress() {
    return PAGE.address() + UNNOTED;
  }

  /**
   * Address of the table for threads that the JVM unmounts, with nobody in it; empty when there is
   * no memory for it. While nobody uses it.
   */
  public OptionalLong blockedTable() {
    OptionalLong address = BlockedThreads.cleared(kernel);
    PAGE.set(BLOCKED, 0);
    return address;
  }

  /**
   * Address of the table in which whoever unparks a virtual thread leaves the page's first word;
   * from now on parks are divided there. Empty when there is no memory for it.
   */
  public OptionalLong unparkTable() {
    OptionalLong address = UnparkedThreads.address(kernel);
    PAGE.set(UNPARKS, address.orElse(0));
    return address;
  }

  /** Address of the time of the last tick, as {@link System#nanoTime}. */
  public long tickedAddress() {
    return PAGE.address() + TICKED;
  }

  /** Parks are not divided: nobody writes to {@link #unparkTable}. */
  public void withoutUnparks() {
    PAGE.set(UNPARKS, 0);
  }

  /** Behind {@link #blockedTable}, what is noted for each of its slots. */
  public static long blockedNotesOffset() {
    return BlockedThreads.IDS_BYTES;
  }

  /** To be combined with a thread's id: which of the table's groups is its own. */
  public static long blockedMask() {
    return BlockedThreads.GROUPS - 1;
  }

  /**
   * {@code long (long page, long thread, long before, long start, long kind)}: to be called by a
   * virtual thread that goes on, when the page's first word is not what it was before, or by its
   * carrier ({@link ParkKind}'s number says which). As a critical call the thread stays in Java: no
   * safepoint falls into it, so that nothing on its stack or in its continuation moves while it is
   * read.
   */
  public MethodHandle function() {
    return Function.HANDLE;
  }

  /** Parks shorter than this are taken at points of their threads, one in each such time. */
  public long thin() {
    return PAGE.get(THIN);
  }

  /** Sets {@link #thin}, which the native side doubles when many parks are taken in one tick. */
  public void thin(long nanos) {
    if (nanos <= 0) {
      throw new IllegalArgumentException("thinning of " + nanos + " ns");
    }
    PAGE.set(THIN, nanos);
  }

  /** The ticker's period as of its last tick, 0 before the first. */
  public long period() {
    return PAGE.get(PERIOD);
  }

  /** Time that all ticks so far stand for, with {@code JEBPF_PARKS_TIMED} in its lowest bit. */
  long word() {
    return PAGE.get(WORD);
  }

  /** Parks that ticks fell into. */
  public long met() {
    return PAGE.get(MET) - metBefore;
  }

  /** Of {@link #met}, those whose stack was asked for. */
  public long taken() {
    return PAGE.get(TAKEN) - takenBefore;
  }

  /** Parks that are in no profile: the kernel refused, the JVM threw, there was no slot. */
  public long failed() {
    return failedEver() - failedBefore;
  }

  private static long failedEver() {
    return PAGE.get(FAILED) + PAGE.get(JAVA_FAILED) + PAGE.get(UNNOTED);
  }

  /** From now on no stack is taken. */
  @Override
  public void close() {
    PAGE.set(PROGRAM_FD, NO_PROGRAM);
  }
}
