package io.jebpf.symbolizer;

import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Names of threads: for Java threads the full name as of now, for all others (collector, VM thread,
 * native threads) the kernel's, which ends after 15 bytes.
 *
 * <p>Cached under (tid, start time), so that a reused tid does not inherit a name. A Java name is
 * read again once per window, since {@code Thread.setName} may change it; the JVM's list of threads
 * is read when an unknown thread turns up, at most once in {@value #LIST_INTERVAL_NANOS} ns, and
 * ever more seldom for threads that were not in it.
 *
 * <p>Owner: the reader thread.
 */
public final class ThreadNames {
  private static final int ENTRIES_MAX = 4096;
  private static final int LISTED_MAX = 1 << 17;
  private static final long LIST_INTERVAL_NANOS = 100_000_000;

  /** A collection may be in the way of reading a name: so often it is tried at once again. */
  private static final int RETRIES_MAX = 8;

  /** Windows until a native thread is looked for again, at most. It may attach to the JVM. */
  private static final int ABSENT_WINDOWS_MAX = 32;

  /** Not a JavaThread*: the list was read too short a time ago. */
  private static final long ASK_LATER = -1;

  private static final Entry UNKNOWN = new Entry(0, "", 0, 0);

  private final Optional<Source> source;
  private final LongSupplier clock;
  private final IdentityCache<Entry> cache = new IdentityCache<>(ENTRIES_MAX);
  private IdentityCache<Long> listed = new IdentityCache<>(ENTRIES_MAX);
  private boolean listRead;
  private long listReadNanos;

  /** When the youngest thread that was asked for began: now, and when the list was read last. */
  private long newestNanos;

  private long listNewestNanos;
  private long window = 1;

  /** The JVM's own view of its threads. A JavaThread is an address in the JVM's memory. */
  public interface Source {
    /** Visits the threads that are in the JVM's list now; false when it cannot be read. */
    boolean each(Visitor visitor);

    /** Whether the list is another one than {@link #each} showed last, as far as can be told. */
    boolean hasChanged();

    /**
     * Whether the JVM itself names threads so that are never in its list. To look for them would
     * take a reading of all others.
     */
    boolean isUnlisted(String comm);

    /** Whether there is a thread of the JVM with that tid at the address. */
    boolean isThread(long javaThread, int tid);

    /** {@code Thread.getName()} of the platform thread; empty when it cannot be read now. */
    String name(long javaThread);

    /** Takes one entry of the list. */
    interface Visitor {
      void thread(int tid, long javaThread);
    }
  }

  /**
   * What is known of a thread.
   *
   * @param javaThread 0: none, as far as known
   * @param name empty: the kernel's is used
   * @param nextWindow the window in which to look again
   * @param failures looks in a row that brought no name
   */
  private record Entry(long javaThread, String name, long nextWindow, int failures) {}

  ThreadNames(Optional<Source> source, LongSupplier nanoClock) {
    this.source = source;
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
    if (source.isEmpty()) {
      return comm;
    }
    Entry entry = cache.get(tid, startNanos, UNKNOWN);
    boolean attached = entry.javaThread == 0 && javaThread != 0 && entry.failures < RETRIES_MAX;
    newestNanos = Math.max(newestNanos, startNanos);
    if (entry.nextWindow <= window || attached) {
      entry = read(source.get(), tid, startNanos, comm, entry, javaThread);
      cache.put(tid, startNanos, entry);
    }
    return entry.name.isEmpty() ? comm : entry.name;
  }

  private Entry read(
      Source threads, int tid, long startNanos, String comm, Entry known, long javaThread) {
    long thread = known.javaThread;
    if (thread == 0 || !threads.isThread(thread, tid)) {
      boolean hinted = javaThread != 0 && threads.isThread(javaThread, tid);
      boolean absent = known.failures > 0 || startNanos < listNewestNanos;
      boolean unlisted = !hinted && threads.isUnlisted(comm);
      thread = hinted ? javaThread : unlisted ? 0 : find(threads, tid, absent);
    }
    if (thread == ASK_LATER) {
      return known;
    }
    int failures = known.failures + 1;
    if (thread == 0) {
      // Gone, or not a Java thread. A name that was read while it lived is still the right one.
      int windows = failures < Integer.SIZE - 2 ? 1 << failures : ABSENT_WINDOWS_MAX;
      long next = window + Math.min(windows, ABSENT_WINDOWS_MAX);
      return new Entry(0, known.name, next, failures);
    }
    String name = threads.name(thread);
    if (name.isEmpty()) {
      return new Entry(thread, known.name, failures < RETRIES_MAX ? window : window + 1, failures);
    }
    return new Entry(thread, name, window + 1, 0);
  }

  /**
   * @param absent whether it was there when the list was read last, and not in it: then it is not
   *     in the same list now. To read that takes two reads of memory a thread, which native threads
   *     would cause time and again
   */
  private long find(Source threads, int tid, boolean absent) {
    long thread = listed.young(tid, 0, 0L);
    if (thread != 0 && threads.isThread(thread, tid)) {
      return thread;
    }
    long now = clock.getAsLong();
    if (listRead && now - listReadNanos < LIST_INTERVAL_NANOS) {
      return ASK_LATER;
    }
    if (listRead && absent && !threads.hasChanged()) {
      return 0;
    }
    listRead = true;
    listReadNanos = now;
    listNewestNanos = newestNanos;
    IdentityCache<Long> list = new IdentityCache<>(LISTED_MAX);
    threads.each((id, javaThread) -> list.put(id, 0, javaThread));
    listed = list;
    return listed.young(tid, 0, 0L);
  }
}
