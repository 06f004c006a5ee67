package io.jebpf.agent.files;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * Writes finished profiles into a directory for as long as that is possible. While it is not (full,
 * read-only, gone), it says so once, keeps the youngest profiles in memory, and writes them when
 * the disk can be written again. Owner: thread "jebpf-writer"; the figures are for anybody.
 */
public final class ProfileFiles {
  /** Most bytes that wait in memory for the disk. */
  static final long PENDING_BYTES_MAX = 4 << 20;

  private final Path path;
  private final long diskBytes;
  private final AgentLog log;
  private final Deque<Pending> pending = new ArrayDeque<>();
  private long pendingBytes;
  private Optional<ProfileDirectory> directory = Optional.empty();
  private boolean failing;

  private volatile long filesWritten;
  private volatile long bytesWritten;
  private volatile long filesRotated;
  private volatile long filesFailed;

  private record Pending(String kind, Instant start, byte[] profile)
      implements ProfileDirectory.Content {
    @Override
    public void writeTo(OutputStream out) throws IOException {
      out.write(profile);
    }
  }

  public ProfileFiles(Path path, long diskBytes, AgentLog log) {
    this.path = path;
    this.diskBytes = diskBytes;
    this.log = log;
  }

  /** Tries the directory, so that a wrong one is known at the start and not after a window. */
  public void prepare() {
    open();
  }

  /**
   * Writes a profile now, or when it can be.
   *
   * @param reservedBytes part of the budget that others use
   * @param told whether the user knows already that the disk cannot be written
   */
  public void write(String kind, Instant start, byte[] profile, long reservedBytes, boolean told) {
    failing |= told;
    pending.add(new Pending(kind, start, profile));
    pendingBytes += profile.length;
    if (directory.isPresent() || open()) {
      writePending(diskBytes - reservedBytes);
    }
    while (pendingBytes > PENDING_BYTES_MAX) {
      pendingBytes -= pending.remove().profile().length;
      filesFailed++;
    }
  }

  private void writePending(long bytesMax) {
    ProfileDirectory profiles = directory.orElseThrow();
    long rotatedBefore = profiles.filesRotated();
    profiles.limit(bytesMax);
    try {
      while (!pending.isEmpty()) {
        Pending next = pending.element();
        Path file = profiles.write(next.kind(), next.start(), next);
        pending.remove();
        pendingBytes -= next.profile().length;
        filesWritten++;
        bytesWritten += next.profile().length;
        failing = false;
        if (log.isDebug()) {
          log.debug(file + " written");
        }
      }
    } catch (IOException e) {
      directory = Optional.empty(); // made anew for the next window, should it be gone
      failed(Trouble.PROFILE_WRITE, e);
    } finally {
      filesRotated += profiles.filesRotated() - rotatedBefore;
    }
  }

  private boolean open() {
    try {
      directory = Optional.of(ProfileDirectory.open(path, diskBytes));
      return true;
    } catch (IOException e) {
      failed(Trouble.OUT_DIRECTORY, e);
      return false;
    }
  }

  /** One line, until it works again. */
  private void failed(Trouble trouble, IOException e) {
    if (!failing) {
      failing = true;
      log.error(trouble, path + ": " + e);
    }
  }

  /** No more profiles come: what waits is lost, and counted. */
  public void close() {
    filesFailed += pending.size();
    pending.clear();
    pendingBytes = 0;
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

  /** Profiles that were never written. */
  public long filesFailed() {
    return filesFailed;
  }
}
