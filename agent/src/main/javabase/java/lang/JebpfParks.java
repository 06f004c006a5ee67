package java.lang;

import java.lang.invoke.MethodHandle;
import java.lang.reflect.Field;
import jdk.internal.misc.Unsafe;
import jdk.internal.vm.Continuation;
import jdk.internal.vm.ContinuationScope;
import jdk.internal.vm.annotation.DontInline;
import jdk.internal.vm.annotation.ForceInline;
import jdk.internal.vm.annotation.Hidden;
import jdk.internal.vm.annotation.Stable;

/**
 * What jebpf puts in place of a virtual thread's calls of {@code Continuation.yield} and {@code
 * Continuation.run}, and of a change of a thread's state; the only class of it that the JDK's own
 * code sees (docs/adr/0004, 0007, 0009). Compiled as part of java.base, defined there at run time
 * by {@code io.jebpf.agent.vthread.ParkHook}, which sets the fields before any virtual thread gets
 * here.
 *
 * <p>{@link #yield} runs inside of {@code VirtualThread.yieldContinuation}: before the yield
 * nothing may block, allocate or throw. Afterwards the thread runs as any other. {@link #run} runs
 * inside of {@code VirtualThread.runContinuation}, where the carrier passes for the virtual thread
 * while it has its own stack: nothing there may block or throw. {@link #compareAndSetInt} is called
 * by whoever unparks a thread, and between that and its way to the scheduler nothing may throw.
 */
final class JebpfParks {
  private static final Unsafe U = Unsafe.getUnsafe();

  /** In the page's first word: parks that begin now note when. JEBPF_PARKS_TIMED. */
  private static final long TIMED = 1;

  /** The page's first word before any tick that virtual threads are to see: JEBPF_PARKS_FIRST. */
  private static final long FIRST = 2;

  /** Enum jebpf_park_kind. */
  private static final long YIELD = 0;

  private static final long MONITOR = 1;
  private static final long WAIT = 2;

  /** Of the table of blocked threads; see io.jebpf.bpf.BlockedThreads. */
  private static final int SLOTS = 4;

  private static final int ID_BYTES = 8;
  private static final int NOTE_BYTES = 32;
  private static final int WORD = 0;
  private static final int START = 8;
  private static final int KIND = 16;

  /** Of struct jebpf_parks: below 0 while no profiler listens. */
  private static final int PROGRAM_FD = 16;

  /** Of struct jebpf_parks. Its first word changes at each tick. */
  @Stable private static long page;

  /** Counts what {@link #met} swallowed. */
  @Stable private static long failures;

  /** jebpf_parked(page, thread, before, start, kind). */
  @Stable private static MethodHandle function;

  /** The table's ids, its notes, and which bits of a thread's id choose a group. */
  @Stable private static long ids;

  @Stable private static long notes;
  @Stable private static long groupMask;

  /** Counts threads in the table, and those that found no room there. */
  @Stable private static long blocked;

  @Stable private static long unnoted;

  /** Where it is left what the page's word was when a thread was unparked; its bits of a number. */
  private static final int UNPARKS_BITS = 16;

  private static final long MIX = 0x9e3779b97f4a7c15L;
  private static final long DUE = 1L << 63;
  @Stable private static long unparks;

  /** Where the time of the last tick is. */
  @Stable private static long ticked;

  /**
   * What {@link #run} and {@link #compareAndSetInt} swallowed. Counted in a way that calls nothing;
   * a race may lose some.
   */
  private static int swallowed;

  /** Of VirtualThread: its field, and what is in it when the JVM has just unmounted a thread. */
  @Stable private static long state;

  @Stable private static long cont;
  @Stable private static int blocking;
  @Stable private static int waiting;
  @Stable private static int timedWaiting;

  /** What is in it when a thread waits for a carrier. */
  @Stable private static int unparked;

  @Stable private static int unblocked;

  /** What was in it before, when it has waited for a time at most. */
  @Stable private static int timedParked;

  @Stable private static int timedWait;

  /** Of VirtualThread: the task that ends such a wait, when it has this class. */
  @Stable private static long timeoutTask;

  @Stable private static Class<?> taskClass;

  /** Of such a task, when it is due, by a clock that is ahead of System.nanoTime. */
  @Stable private static long when;

  @Stable private static long clockAhead;

  /** Of Continuation: the newest of its frames in the heap. */
  @Stable private static long tail;

  private JebpfParks() {}

  /**
   * Finds fields of the JDK's classes, which are not initialised by it; throws where one is not
   * there.
   */
  private static void prepareRun() {
    tail = U.objectFieldOffset(Continuation.class, "tail");
    state = U.objectFieldOffset(VirtualThread.class, "state");
    cont = U.objectFieldOffset(VirtualThread.class, "cont");
  }

  /**
   * The same for what {@link #dueBefore} needs. Since JDK 25 it is a carrier that ends a wait in
   * time; before, it is a thread of its own, and there is no such class.
   */
  private static void prepareUnparks() throws ReflectiveOperationException {
    Class<?> scheduler;
    try {
      scheduler = Class.forName("java.util.concurrent.DelayScheduler", true, null);
    } catch (ClassNotFoundException e) {
      return;
    }
    Class<?> task = Class.forName(scheduler.getName() + "$ScheduledForkJoinTask", false, null);
    Field ahead = scheduler.getDeclaredField("nanoTimeOffset");
    clockAhead = U.getLong(U.staticFieldBase(ahead), U.staticFieldOffset(ahead));
    when = U.objectFieldOffset(task, "when");
    timeoutTask = U.objectFieldOffset(VirtualThread.class, "timeoutTask");
    taskClass = task;
  }

  @Hidden
  @ForceInline
  static boolean yield(ContinuationScope scope) {
    long before = word();
    long start = (before & TIMED) == 0 ? 0 : System.nanoTime();
    boolean yielded = Continuation.yield(scope);
    if (yielded && U.getLong(page) != before) {
      met(Thread.currentThread().threadId(), before, start, YIELD);
    }
    return yielded;
  }

  /** The page's first word, which is not 0 from now on. */
  @Hidden
  @ForceInline
  private static long word() {
    long word = U.getLong(page);
    return word == 0 ? first() : word;
  }

  /**
   * The first park of this JVM: from now on the ticker does not leave out ticks. What the word is.
   */
  @Hidden
  @DontInline
  private static long first() {
    U.compareAndSetLong(null, page, 0, FIRST);
    return U.getLong(page);
  }

  /**
   * Runs a virtual thread until it leaves its carrier. When the JVM itself has unmounted it, no
   * code of ours runs on it before and after: the carriers note the begin, and look at the end. If
   * this threw before the thread has run, it never would.
   */
  @Hidden
  @ForceInline
  static void run(Continuation continuation) {
    try {
      if (U.getLong(blocked) != 0) {
        resume(continuation);
      }
    } catch (Throwable e) { // a stack that ends here
      swallowed++;
    }
    continuation.run();
    try {
      Thread thread = Thread.currentThread();
      if (thread instanceof VirtualThread) {
        int now = U.getInt(thread, state);
        if (now == blocking || now == waiting || now == timedWaiting) {
          note(thread.threadId(), now == blocking ? MONITOR : WAIT);
        }
      }
    } catch (Throwable e) {
      swallowed++;
    }
  }

  /** Its thread is blocked from now on; nobody else can run it before its state says so. */
  @Hidden
  @DontInline
  private static void note(long thread, long kind) {
    if (U.getLong(page + PROGRAM_FD) < 0) {
      return; // this carrier comes from before the hook was taken out
    }
    long slot = slotOf(thread, thread); // one that an earlier profiler left
    if (slot == 0) {
      slot = slotOf(0, thread);
      if (slot == 0) {
        U.getAndAddLong(null, unnoted, 1);
        return;
      }
      U.getAndAddLong(null, blocked, 1);
    }
    long note = noteOf(slot);
    long before = word();
    U.putLong(note + WORD, before);
    U.putLong(note + START, (before & TIMED) == 0 ? 0 : System.nanoTime());
    U.putLong(note + KIND, kind);
  }

  /**
   * A virtual thread is about to go on: if it was blocked and a tick fell into that, tells of it.
   */
  @Hidden
  @DontInline
  private static void resume(Continuation continuation) {
    Thread thread = Thread.currentThread();
    long id = thread.threadId();
    long slot = slotOf(id, id);
    if (slot == 0) {
      return;
    }
    long note = noteOf(slot);
    long before = U.getLong(note + WORD);
    long start = U.getLong(note + START);
    long kind = U.getLong(note + KIND);
    U.putLongRelease(null, slot, 0);
    U.getAndAddLong(null, blocked, -1);
    if (U.getLong(page) == before) {
      return;
    }
    /* a collector that moves objects puts right what is loaded: the kernel program only reads */
    if (U.getReferenceVolatile(thread, cont) == continuation
        && U.getReferenceVolatile(continuation, tail) != null) {
      met(id, before, start, kind);
    } else {
      U.getAndAddLong(null, failures, 1);
    }
  }

  /**
   * A virtual thread's state changes. When it may be run from now on, leaves what the word is. It
   * cannot run before this returns, since only then it is given to its scheduler.
   */
  @Hidden
  @ForceInline
  static boolean compareAndSetInt(Unsafe unsafe, Object thread, long field, int from, int to) {
    boolean changed = unsafe.compareAndSetInt(thread, field, from, to);
    if (changed && (to == unparked || to == unblocked)) {
      try {
        long id = ((Thread) thread).threadId();
        boolean timed = from == timedParked || from == timedWait;
        long at = timed ? dueBefore(thread, U.getLong(page)) : U.getLong(page);
        U.putLong(slotOfUnpark(id), at ^ id * MIX);
      } catch (Throwable e) { // a stack that ends here
        swallowed++;
      }
    }
    return changed;
  }

  /**
   * A wait in time is over. When it was due before the last tick, which then is the carriers'
   * fault, the time at which it was; else the word.
   */
  @Hidden
  @ForceInline
  private static long dueBefore(Object thread, long word) {
    if (taskClass == null) {
      return word;
    }
    Object task = U.getReference(thread, timeoutTask);
    if (task == null || task.getClass() != taskClass) {
      return word;
    }
    long due = U.getLong(task, when) - clockAhead;
    return due < U.getLong(ticked) ? due | DUE : word;
  }

  /** Eight threads in a row have eight cache lines. jebpf_parks.c has the same. */
  @Hidden
  @ForceInline
  private static long slotOfUnpark(long id) {
    long slot = id << 3 | id >>> UNPARKS_BITS - 3 & 7;
    return unparks + (slot & (1 << UNPARKS_BITS) - 1) * Long.BYTES;
  }

  /** Of the thread's group, the slot with such a number, which is the thread's then; 0: none. */
  @Hidden
  private static long slotOf(long number, long thread) {
    long slot = ids + (thread & groupMask) * (SLOTS * ID_BYTES);
    for (int i = 0; i < SLOTS; i++, slot += ID_BYTES) {
      if (U.getLong(slot) == number
          && (number == thread || U.compareAndSetLong(null, slot, 0, thread))) {
        return slot;
      }
    }
    return 0;
  }

  @Hidden
  private static long noteOf(long slot) {
    return notes + (slot - ids) * (NOTE_BYTES / ID_BYTES);
  }

  /** A tick fell into the park. Not inlined, so that its frame tells where our own end. */
  @Hidden
  @DontInline
  private static void met(long thread, long before, long start, long kind) {
    try {
      long ignored = (long) function.invokeExact(page, thread, before, start, kind);
    } catch (Throwable e) { // the application's park must not fail because of us
      U.getAndAddLong(null, failures, 1);
    }
  }
}
