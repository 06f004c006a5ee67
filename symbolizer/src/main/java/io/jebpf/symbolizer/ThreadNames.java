package io.jebpf.symbolizer;

import io.jebpf.symbolizer.hotspot.JavaThreads;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Names of threads: for Java threads the full name as of now, for all others (collector, VM thread,
 * native threads) the kernel's, which ends after 15 bytes.
 *
 * <p>Cached under (tid, start time), so that a reused tid does not inherit a name. A Java name is
 * read again once per window, since {@code Thread.setName} may change it; the JVM's list of threads
 * is read when an unknown thread turns up, at most once in {@value #LIST_INTERVAL_NANOS} ns.
 *
 * <p>Owner: the reader thread.
 */
public final class ThreadNames {
  private static final int ENTRIES_MAX = 4096;
  private static final long LIST_INTERVAL_NANOS = 100_000_000;
  private static final int LISTED_MAX = 1 << 17;

  /** Not a JavaThread*: the list was read too short a time ago. */
  private static final long ASK_LATER = -1;

  private static final Entry ABSENT = new Entry(0, "", -1);

  private final Optional<JavaThreads> javaThreads;
  private final LongSupplier clock;
  private final IdentityCache<Entry> cache = new IdentityCache<>(ENTRIES_MAX);
  private IdentityCache<Long> listed = new IdentityCache<>(ENTRIES_MAX);
  private boolean listRead;
  private long listReadNanos;
  private long window;

  /** {@code javaThread} 0: not a Java thread, as far as known in that window. */
  private record Entry(long javaThread, String name, long window) {}

  ThreadNames(Optional<JavaThreads> javaThreads, LongSupplier nanoClock) {
    this.javaThreads = javaThreads;
    this.clock = nanoClock;
  }

  /** Names may have changed since the last call. */
  public void beginWindow() {
    window++;
  }

  /**
   * @param startNanos the task's start time, as in the sample
   * @param comm the kernel's name, the fallback
   */
  public String name(int tid, long startNanos, String comm) {
    return name(tid, startNanos, comm, 0);
  }

  /** As above; {@code javaThread}: JavaThread* of the sample, 0 when the walk did not learn it. */
  public String name(int tid, long startNanos, String comm, long javaThread) {
    Entry known = cache.get(tid, startNanos, ABSENT);
    if (known.window == window && (known.javaThread != 0 || javaThread == 0)) {
      return known.javaThread == 0 ? comm : known.name;
    }
    if (javaThreads.isEmpty()) {
      return comm;
    }
    Entry fresh = read(javaThreads.get(), tid, known, javaThread);
    cache.put(tid, startNanos, fresh);
    return fresh.name.isEmpty() ? comm : fresh.name;
  }

  private Entry read(JavaThreads threads, int tid, Entry known, long javaThread) {
    long thread = known.javaThread != 0 ? known.javaThread : javaThread;
    if (thread == 0 || !threads.isThread(thread, tid)) {
      thread =
          javaThread != 0 && threads.isThread(javaThread, tid) ? javaThread : find(threads, tid);
    }
    if (thread == ASK_LATER) {
      return new Entry(known.javaThread, known.name, window - 1);
    }
    if (thread == 0) {
      // Gone, or not a Java thread. A name that was read while it lived is still the right one.
      return new Entry(known.javaThread, known.name, window);
    }
    String name = threads.name(thread);
    return new Entry(thread, name.isEmpty() ? known.name : name, window);
  }

  private long find(JavaThreads threads, int tid) {
    long thread = listed.young(tid, 0, 0L);
    if (thread != 0 && threads.isThread(thread, tid)) {
      return thread;
    }
    long now = clock.getAsLong();
    if (listRead && now - listReadNanos < LIST_INTERVAL_NANOS) {
      return ASK_LATER;
    }
    listRead = true;
    listReadNanos = now;
    IdentityCache<Long> list = new IdentityCache<>(LISTED_MAX);
    threads.each((id, javaThread) -> list.put(id, 0, javaThread));
    listed = list;
    return listed.young(tid, 0, 0L);
  }
}
