package io.jebpf.agent.pipeline;

import io.jebpf.agent.files.ProfileFiles;
import io.jebpf.agent.history.History;
import io.jebpf.agent.history.SegmentWriter;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.pprof.ProfileEncoder;
import io.jebpf.agent.pprof.WindowOrder;
import io.jebpf.agent.upload.Sender;
import io.jebpf.agent.window.Window;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * Encodes windows and writes them. The work of thread "jebpf-writer"; the reader hands windows over
 * through a queue of {@link #WINDOWS} and gets them back, so there are never more.
 */
public final class WindowWriter {
  /** One is filled while the other is written. */
  static final int WINDOWS = 2;

  /** Time for the collector after the heap had no room. */
  private static final long MEMORY_PAUSE_MILLIS = 1_000;

  private final Options options;
  private final AgentLog log;

  /** Empty: there will be no more. */
  private final BlockingQueue<Optional<FinishedWindow>> full =
      new ArrayBlockingQueue<>(WINDOWS + 1);

  private final BlockingQueue<Window> free = new ArrayBlockingQueue<>(WINDOWS);
  private final Optional<ProfileFiles> files;
  private final Optional<Sender> sender;
  private final ByteArrayOutputStream encoded = new ByteArrayOutputStream(64 << 10);

  // Written by the writer only; read by anybody.
  private volatile long profilesFailed;
  private volatile long memoryErrors;
  private volatile long cpuNanos;
  private volatile long profiles;
  private volatile long profileNanos;
  private volatile long spanSamplesMerged;

  private final History history;

  /**
   * @param history gets every window, whatever becomes of its files
   * @param sender gets each profile as well
   */
  public WindowWriter(Options options, AgentLog log, History history, Optional<Sender> sender) {
    this.options = options;
    this.log = log;
    this.history = history;
    this.files = options.out().map(path -> new ProfileFiles(path, options.diskBytes(), log));
    this.sender = sender;
  }

  // ---- the reader's side

  /** Never blocks and never fails: there are no more windows than places. */
  void hand(FinishedWindow window) {
    if (!full.offer(Optional.of(window))) {
      throw new IllegalStateException("more than " + WINDOWS + " windows");
    }
  }

  /** A window that is free to be filled; empty while the writer still has it. */
  Optional<Window> takeFree() {
    return Optional.ofNullable(free.poll());
  }

  void giveFree(Window window) {
    free.add(window);
  }

  /** No more windows will come; {@link #run} ends when the last is written. */
  public void end() {
    full.offer(Optional.empty()); // has room: only one end, and fewer windows than places
  }

  // ---- the writer's side

  /** Tries the directory, so that a wrong one is known at the start and not after a window. */
  public void prepare() {
    files.ifPresent(ProfileFiles::prepare);
  }

  /** Writes windows until {@link #end}. */
  public void run() throws InterruptedException {
    Optional<FinishedWindow> next = full.take();
    while (next.isPresent()) {
      write(next.get());
      next = full.take();
    }
    history.end();
    files.ifPresent(ProfileFiles::close);
  }

  /** Writes what waits, without waiting for more. */
  void writeWaiting() throws InterruptedException {
    while (!full.isEmpty()) {
      Optional<FinishedWindow> next = full.take();
      if (next.isPresent()) {
        write(next.get());
      }
    }
  }

  private void write(FinishedWindow finished) throws InterruptedException {
    try {
      putAway(finished); // first: a slow disk must keep nobody waiting
      if (files.isPresent() || sender.isPresent()) {
        long before = ProcStat.threadNanos();
        WindowOrder order = new WindowOrder(finished.window());
        for (PlannedProfile profile : finished.profiles()) {
          deliver(finished, order, profile, before); // the order is at the first one's cost
          before = ProcStat.threadNanos();
        }
      }
    } catch (RuntimeException e) {
      profilesFailed++;
      log.error(Trouble.WRITER, e.toString());
    } catch (OutOfMemoryError e) { // of the application's heap; the next window is tried
      profilesFailed++;
      memoryErrors++;
    }
    while (!giveBack(finished.window())) {
      Thread.sleep(MEMORY_PAUSE_MILLIS);
    }
    cpuNanos = ProcStat.threadNanos();
  }

  /** False when there is no memory for a small window in place of a large one. */
  private boolean giveBack(Window window) {
    try {
      window.clear();
      free.add(window);
      return true;
    } catch (OutOfMemoryError e) {
      memoryErrors++;
      return false;
    }
  }

  private void putAway(FinishedWindow finished) {
    try {
      if (history.isWanted()) {
        SegmentWriter segment = new SegmentWriter(finished.window());
        history.add(
            segment.write(finished.serial(), finished.begin(), finished.end()).compressed());
      }
    } finally {
      history.passed(finished.serial());
    }
  }

  /**
   * Encoded once; the directory and the spool get the same bytes. No lambdas here and below: their
   * classes are made at the first window, for 9 ms.
   */
  private void deliver(
      FinishedWindow finished, WindowOrder order, PlannedProfile profile, long before) {
    encoded.reset();
    try {
      spanSamplesMerged +=
          ProfileEncoder.encode(
              finished.window(), order, profile.kind(), profile.header(), encoded);
    } catch (IOException e) {
      throw new UncheckedIOException("memory cannot be written", e);
    }
    byte[] bytes = encoded.toByteArray();
    String kind = profile.kind().fileName();
    long reserved = 0;
    boolean told = false;
    if (sender.isPresent()) {
      Sender to = sender.get();
      to.put(kind, finished.start().toEpochMilli(), bytes);
      reserved = to.diskBytes();
      told = to.diskFails();
    }
    if (files.isPresent()) {
      files.get().write(kind, finished.start(), bytes, reserved, told);
    }
    long took = ProcStat.threadNanos() - before;
    profiles++;
    profileNanos += took;
    if (log.isDebug()) {
      log.debug("profile " + kind + ": " + bytes.length + " bytes, " + took / 1000 + " us of CPU");
    }
  }

  /** Profiles that were built and put where they belong. */
  public long profiles() {
    return profiles;
  }

  /** CPU time that this took: encoding, compressing, writing. */
  public long profileNanos() {
    return profileNanos;
  }

  /** Samples of waits that went into others, because too many had ids of spans. */
  public long spanSamplesMerged() {
    return spanSamplesMerged;
  }

  public long filesWritten() {
    return files.map(ProfileFiles::filesWritten).orElse(0L);
  }

  public long bytesWritten() {
    return files.map(ProfileFiles::bytesWritten).orElse(0L);
  }

  public long filesRotated() {
    return files.map(ProfileFiles::filesRotated).orElse(0L);
  }

  /** Profiles that could not be written. */
  public long filesFailed() {
    return profilesFailed + files.map(ProfileFiles::filesFailed).orElse(0L);
  }

  public long cpuNanos() {
    return cpuNanos;
  }

  /** OutOfMemoryErrors here: each cost a window's profiles, or a second. */
  public long memoryErrors() {
    return memoryErrors;
  }
}
