package io.jebpf.agent.pipeline;

import io.jebpf.agent.files.ProfileDirectory;
import io.jebpf.agent.history.History;
import io.jebpf.agent.history.SegmentWriter;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.pprof.ProfileEncoder;
import io.jebpf.agent.window.Window;
import java.io.IOException;
import java.nio.file.Path;
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

  private final Options options;
  private final AgentLog log;

  /** Empty: there will be no more. */
  private final BlockingQueue<Optional<FinishedWindow>> full =
      new ArrayBlockingQueue<>(WINDOWS + 1);

  private final BlockingQueue<Window> free = new ArrayBlockingQueue<>(WINDOWS);
  private Optional<ProfileDirectory> directory = Optional.empty();

  // Written by the writer only; read by anybody.
  private volatile long filesWritten;
  private volatile long bytesWritten;
  private volatile long filesRotated;
  private volatile long filesFailed;
  private volatile long cpuNanos;

  private final History history;

  /**
   * @param history gets every window, whatever becomes of its files
   */
  public WindowWriter(Options options, AgentLog log, History history) {
    this.options = options;
    this.log = log;
    this.history = history;
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
    if (options.out().isPresent()) {
      open(options.out().get());
    }
  }

  /** Writes windows until {@link #end}. */
  public void run() throws InterruptedException {
    Optional<FinishedWindow> next = full.take();
    while (next.isPresent()) {
      write(next.get());
      next = full.take();
    }
    history.end();
  }

  /** Writes what waits, without waiting for more. */
  void writeWaiting() throws InterruptedException {
    while (!full.isEmpty()) {
      full.take().ifPresent(this::write);
    }
  }

  private void write(FinishedWindow finished) {
    try {
      putAway(finished); // first: a slow disk must keep nobody waiting
      if (options.out().isPresent()) {
        writeFile(options.out().get(), finished);
      }
    } catch (RuntimeException e) {
      filesFailed++;
      log.error(Trouble.WRITER, e.toString());
    } finally {
      finished.window().clear();
      free.add(finished.window());
      cpuNanos = ProcStat.threadNanos();
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

  private void writeFile(Path path, FinishedWindow finished) {
    if (directory.isEmpty() && !open(path)) {
      filesFailed++;
      return;
    }
    for (PlannedProfile profile : finished.profiles()) {
      if (!writeProfile(path, finished, profile)) {
        return;
      }
    }
  }

  private boolean writeProfile(Path path, FinishedWindow finished, PlannedProfile profile) {
    ProfileDirectory profiles = directory.orElseThrow();
    long rotatedBefore = profiles.filesRotated();
    long bytesBefore = profiles.bytesWritten();
    try {
      Path file =
          profiles.write(
              profile.kind().fileName(),
              finished.start(),
              out ->
                  ProfileEncoder.encode(finished.window(), profile.kind(), profile.header(), out));
      filesWritten++;
      bytesWritten += profiles.bytesWritten() - bytesBefore;
      if (log.isDebug()) {
        log.debug(file + " written");
      }
      return true;
    } catch (IOException e) {
      filesFailed++;
      directory = Optional.empty(); // made anew for the next window, should it be gone
      log.error(Trouble.PROFILE_WRITE, path + ": " + e);
      return false;
    } finally {
      filesRotated += profiles.filesRotated() - rotatedBefore;
    }
  }

  private boolean open(Path path) {
    try {
      directory = Optional.of(ProfileDirectory.open(path, options.diskBytes()));
      return true;
    } catch (IOException e) {
      log.error(Trouble.OUT_DIRECTORY, path + ": " + e);
      return false;
    }
  }

  public long filesWritten() {
    return filesWritten;
  }

  public long bytesWritten() {
    return bytesWritten;
  }

  public long filesRotated() {
    return filesRotated;
  }

  /** Windows that could not be written. */
  public long filesFailed() {
    return filesFailed;
  }

  public long cpuNanos() {
    return cpuNanos;
  }
}
