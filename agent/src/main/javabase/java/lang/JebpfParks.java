package java.lang;

import java.lang.invoke.MethodHandle;
import jdk.internal.misc.Unsafe;
import jdk.internal.vm.Continuation;
import jdk.internal.vm.ContinuationScope;
import jdk.internal.vm.annotation.DontInline;
import jdk.internal.vm.annotation.ForceInline;
import jdk.internal.vm.annotation.Hidden;
import jdk.internal.vm.annotation.Stable;

/**
 * What jebpf puts in place of a virtual thread's call of {@code Continuation.yield}, and the only
 * class of it that the JDK's own code sees (docs/adr/0004). Compiled as part of java.base, defined
 * there at run time by {@code io.jebpf.agent.vthread.ParkHook}, which sets the fields before any
 * virtual thread gets here.
 *
 * <p>Runs inside of {@code VirtualThread.yieldContinuation}: before the yield nothing may block,
 * allocate or throw. Afterwards the thread runs as any other.
 */
final class JebpfParks {
  private static final Unsafe U = Unsafe.getUnsafe();

  /** In the page's first word: parks that begin now note when. JEBPF_PARKS_TIMED. */
  private static final long TIMED = 1;

  /** Of struct jebpf_parks. Its first word changes at each tick. */
  @Stable private static long page;

  /** Counts what {@link #met} swallowed. */
  @Stable private static long failures;

  /** jebpf_parked(page, thread, before, start). */
  @Stable private static MethodHandle function;

  private JebpfParks() {}

  @Hidden
  @ForceInline
  static boolean yield(ContinuationScope scope) {
    long before = U.getLong(page);
    long start = (before & TIMED) == 0 ? 0 : System.nanoTime();
    boolean yielded = Continuation.yield(scope);
    if (yielded && U.getLong(page) != before) {
      met(Thread.currentThread().threadId(), before, start);
    }
    return yielded;
  }

  /** A tick fell into the park. Not inlined, so that its frame tells where our own end. */
  @Hidden
  @DontInline
  private static void met(long thread, long before, long start) {
    try {
      long ignored = (long) function.invokeExact(page, thread, before, start);
    } catch (Throwable e) { // the application's park must not fail because of us
      U.getAndAddLong(null, failures, 1);
    }
  }
}
