package io.jebpf.agent.dump;

import io.jebpf.agent.files.ProfileDirectory;
import io.jebpf.agent.history.Filter;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.ondemand.Format;
import io.jebpf.agent.ondemand.OnDemandException;
import io.jebpf.agent.ondemand.Profiles;
import io.jebpf.agent.ondemand.Query;
import io.jebpf.agent.options.DumpOptions;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.pprof.ProfileKind;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Writes the last seconds of the past as files {@code dump-<why>-<kind>-<UTC start>.pb.gz}, within
 * the budget of the directory: one dump at a time, on a thread that is there for it, and so many an
 * hour. What is asked for beyond that is counted. Thread-safe.
 */
public final class Dumps {
  private static final long HOUR_NANOS = 3_600_000_000_000L;

  /** For a JVM that is out of memory. */
  private static final int ATTEMPTS_MAX = 10;

  private static final long REST_MILLIS = 1_000;

  private final DumpOptions options;
  private final Path directory;
  private final long diskBytes;
  private final Profiles profiles;
  private final AgentLog log;
  private final Threads threads;
  private final AtomicBoolean busy = new AtomicBoolean();
  private final Deque<Long> times = new ArrayDeque<>();
  private volatile long written;
  private volatile long skipped;

  /** Starts a thread of the agent. */
  public interface Threads {
    void start(String name, Runnable work);
  }

  public Dumps(Options options, Path directory, Profiles profiles, AgentLog log, Threads threads) {
    this.options = options.dumps();
    this.diskBytes = options.diskBytes();
    this.directory = directory;
    this.profiles = profiles;
    this.log = log;
    this.threads = threads;
  }

  /** Dumps written. */
  public long written() {
    return written;
  }

  /** Dumps that were not written: one was under way, or there were enough for an hour. */
  public long skipped() {
    return skipped;
  }

  /** Asks for a dump of what was before; it is written by another thread. False: skipped. */
  public boolean ask(String why) {
    long now = System.nanoTime();
    if (!busy.compareAndSet(false, true)) {
      skipped++;
      return false;
    }
    if (!isAllowed(now)) {
      skipped++;
      busy.set(false);
      return false;
    }
    threads.start(
        "dump",
        () -> {
          try {
            write(why, now);
          } finally {
            busy.set(false);
          }
        });
    return true;
  }

  private synchronized boolean isAllowed(long now) {
    while (!times.isEmpty() && now - times.peekFirst() > HOUR_NANOS) {
      times.removeFirst();
    }
    if (times.size() >= options.hourlyMax()) {
      return false;
    }
    times.addLast(now);
    return true;
  }

  /**
   * Writes it now, on this thread; tells the log when it cannot. While the JVM has no memory for
   * it, it is tried again: whoever caused that is often gone a moment later.
   */
  public void write(String why, long toNanos) {
    for (int attempt = 1; ; attempt++) {
      try {
        writeFiles(why, toNanos);
        written++;
        log.info("dump written to " + directory + " (" + why + ")");
        return;
      } catch (OutOfMemoryError e) {
        if (attempt == ATTEMPTS_MAX || !rest()) {
          log.warn(Trouble.PROFILE_WRITE, "dump (" + why + "): " + e);
          return;
        }
      } catch (IOException | OnDemandException | RuntimeException e) {
        log.warn(Trouble.PROFILE_WRITE, "dump (" + why + "): " + e);
        return;
      }
    }
  }

  private static boolean rest() {
    try {
      Thread.sleep(REST_MILLIS);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void writeFiles(String why, long toNanos) throws IOException, OnDemandException {
    Instant start = Instant.now().minusNanos(System.nanoTime() - toNanos + options.lastNanos());
    ProfileDirectory files = ProfileDirectory.open(directory, diskBytes);
    for (ProfileKind kind : List.of(ProfileKind.CPU, ProfileKind.OFFCPU)) {
      Query query =
          new Query(kind, Format.PPROF, toNanos - options.lastNanos(), toNanos, Filter.NONE);
      byte[] profile = profiles.answer(query).bytes();
      files.write("dump-" + why + "-" + kind.fileName(), start, out -> out.write(profile));
    }
  }
}
