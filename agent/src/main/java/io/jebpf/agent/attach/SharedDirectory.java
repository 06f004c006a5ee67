package io.jebpf.agent.attach;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * A directory of our own that a target process can reach as well, wherever it lives: in its mount
 * namespace by way of {@code /proc/PID/root}, given to its user. Removed with all it holds on
 * close. Owner: the command.
 */
public final class SharedDirectory implements AutoCloseable {
  private static final int LOOK_MILLIS = 5;

  private final TargetProcess target;
  private final Path there;

  private SharedDirectory(TargetProcess target, Path there) {
    this.target = target;
    this.there = there;
  }

  /**
   * Makes it in the first place where that can be done.
   *
   * @throws AttachException when no place will do
   */
  public static SharedDirectory in(TargetProcess target) throws AttachException {
    List<String> refused = new ArrayList<>();
    for (Path parent : target.directories()) {
      Path there = parent.resolve("jebpf-attach-" + Long.toHexString(random()));
      Path here = target.here(there);
      try {
        Files.createDirectory(
            here,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        SharedDirectory made = new SharedDirectory(target, there);
        made.give(here);
        return made;
      } catch (IOException e) {
        refused.add(parent + ": " + e.getClass().getSimpleName());
      }
    }
    throw new AttachException(
        "no directory can be shared with process " + target.pid() + " " + refused,
        target.sharesFiles()
            ? "Make /tmp writable for this user"
            : "Run as root on the host, and give the container a writable /tmp (a tmpfs will do)");
  }

  private static long random() {
    return new SplittableRandom(System.nanoTime() ^ ProcessHandle.current().pid()).nextLong() >>> 1;
  }

  private void give(Path file) throws IOException {
    if (!target.isOwn()) {
      Files.setAttribute(file, "unix:gid", target.gid());
      Files.setAttribute(file, "unix:uid", target.uid());
    }
  }

  /** A path in the directory, as the target names it. */
  public Path there(String name) {
    return there.resolve(name);
  }

  /** The same path, as we reach it. */
  public Path here(String name) {
    return target.here(there(name));
  }

  /** Copies a file into it, readable for the target's user only. */
  public Path copy(Path file, String name) throws IOException {
    Files.copy(file, here(name), StandardCopyOption.REPLACE_EXISTING);
    Files.setPosixFilePermissions(here(name), PosixFilePermissions.fromString("r--------"));
    give(here(name));
    return there(name);
  }

  /** The directory as the target names it. */
  Path there() {
    return there;
  }

  /** Waits for a file of {@link AttachReply}; empty when it does not come in time. */
  Optional<String> await(String name, long millis) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + millis * 1_000_000;
    Path file = here(name);
    while (!Files.exists(file)) {
      if (System.nanoTime() >= deadline || !target.isAlive()) {
        return Optional.empty();
      }
      Thread.sleep(LOOK_MILLIS);
    }
    return Optional.of(Files.readString(file));
  }

  @Override
  public void close() {
    Path directory = target.here(there);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      return; // the process has ended, and its namespace with it
    }
  }
}
