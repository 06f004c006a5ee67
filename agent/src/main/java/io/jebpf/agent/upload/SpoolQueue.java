package io.jebpf.agent.upload;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The part of a spool on disk that holds the profiles of one JVM: a directory, locked by that JVM
 * or by the one that adopted it after its death. Guarded by the {@link Spool}.
 *
 * <pre>
 * lock                a lock on it says that somebody is in charge
 * labels              who measured: key=value lines
 * coming/…            a profile that is being written; half when its JVM was killed
 * whole/…             written, not yet given to each server's directory
 * pyroscope/…, …      what waits for this server; the same file by links where there are several
 * </pre>
 */
final class SpoolQueue {
  private static final String LOCK = "lock";
  private static final String LABELS = "labels";
  private static final String COMING = "coming";
  private static final String WHOLE = "whole";
  private static final String NEW_PREFIX = ".new-";
  private static final long NEW_AGE_MILLIS = 10_000;

  private final Path directory;
  private final Optional<FileChannel> lock;
  private final Map<String, String> identity;

  /** Entries of it that some server waits for. */
  int entries;

  private SpoolQueue(Path directory, Optional<FileChannel> lock, Map<String, String> identity) {
    this.directory = directory;
    this.lock = lock;
    this.identity = Map.copyOf(identity);
  }

  /** Makes a queue under a name of its own; it is locked before anybody can see it. */
  static SpoolQueue create(
      Path service, String name, Map<String, String> identity, List<String> servers)
      throws IOException {
    makePrivate(service);
    Path temporary = Files.createDirectory(service.resolve(NEW_PREFIX + name));
    FileChannel lock =
        FileChannel.open(
            temporary.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    try {
      FileLock held = lock.lock();
      assert held.isValid() : "a lock nobody else can know";
      StringBuilder lines = new StringBuilder();
      new TreeMap<>(identity)
          .forEach((key, value) -> lines.append(key + "=" + value.replace('\n', ' ') + "\n"));
      Files.writeString(temporary.resolve(LABELS), lines);
      for (String server : servers) {
        Files.createDirectory(temporary.resolve(server));
      }
      Files.createDirectory(temporary.resolve(COMING));
      Files.createDirectory(temporary.resolve(WHOLE));
      Path directory = service.resolve(name);
      Files.move(temporary, directory, StandardCopyOption.ATOMIC_MOVE);
      return new SpoolQueue(directory, Optional.of(lock), identity);
    } catch (IOException e) {
      lock.close();
      removeTree(temporary);
      throw e;
    }
  }

  /** For nobody else: profiles tell much about a process. A link of somebody else is not used. */
  private static void makePrivate(Path service) throws IOException {
    Path root = service.toAbsolutePath().getParent();
    if (root != null && !Files.isDirectory(root)) {
      Files.createDirectories(root.toAbsolutePath().getParent());
      makeOne(root);
    }
    makeOne(service);
  }

  private static void makeOne(Path directory) throws IOException {
    try {
      Files.createDirectory(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException e) {
      int uid = (Integer) Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS);
      int own = (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
      if (uid != own || Files.isSymbolicLink(directory)) {
        throw new FileSystemException(directory.toString(), null, "belongs to user id " + uid);
      }
    }
  }

  /** What waits in memory. Has no directory, only a name. */
  static SpoolQueue inMemory(String name, Map<String, String> identity) {
    return new SpoolQueue(Path.of(name), Optional.empty(), identity);
  }

  /** Takes the queue of a dead JVM; empty when its JVM lives or another was first. */
  static Optional<SpoolQueue> adopt(Path directory) throws IOException {
    FileChannel lock;
    try {
      lock = FileChannel.open(directory.resolve(LOCK), StandardOpenOption.WRITE);
    } catch (NoSuchFileException e) {
      return Optional.empty(); // delivered and removed just now
    }
    try {
      FileLock held = lock.tryLock();
      // Who was first may have removed it before we got the lock.
      if (held != null && Files.exists(directory.resolve(LOCK))) {
        return Optional.of(new SpoolQueue(directory, Optional.of(lock), readLabels(directory)));
      }
    } catch (OverlappingFileLockException e) {
      // ours already: closing a channel to it would give up the lock, so callers do not ask
    } catch (IOException e) {
      lock.close();
      throw e;
    }
    lock.close();
    return Optional.empty();
  }

  private static Map<String, String> readLabels(Path directory) throws IOException {
    Map<String, String> labels = new TreeMap<>();
    for (String line : Files.readAllLines(directory.resolve(LABELS), StandardCharsets.UTF_8)) {
      int equals = line.indexOf('=');
      if (equals > 0) {
        labels.put(line.substring(0, equals), line.substring(equals + 1));
      }
    }
    return labels;
  }

  /**
   * Directories that may be queues; what a process left that was killed at its start is removed.
   */
  static List<Path> candidates(Path service) throws IOException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(service)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        if (name.startsWith(NEW_PREFIX)) {
          long age = System.currentTimeMillis() - Files.getLastModifiedTime(file).toMillis();
          if (age > NEW_AGE_MILLIS) {
            removeTree(file);
          }
        } else if (Files.exists(file.resolve(LOCK), LinkOption.NOFOLLOW_LINKS)) {
          found.add(file);
        }
      }
    } catch (NoSuchFileException e) {
      return List.of(); // the first JVM of this service
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return found;
  }

  String name() {
    return directory.getFileName().toString();
  }

  boolean exists() {
    return Files.exists(directory.resolve(LOCK));
  }

  Map<String, String> identity() {
    return identity;
  }

  Path file(String server, String fileName) {
    return directory.resolve(server).resolve(fileName);
  }

  /** Writes a profile so that each server's directory has it; leaves nothing on failure. */
  void write(String fileName, byte[] profile, List<String> servers) throws IOException {
    Path coming = directory.resolve(COMING).resolve(fileName);
    Path whole = directory.resolve(WHOLE).resolve(fileName);
    try {
      Files.write(coming, profile, StandardOpenOption.CREATE_NEW);
      Files.move(coming, whole, StandardCopyOption.ATOMIC_MOVE);
      distribute(whole, servers);
    } catch (IOException e) {
      Files.deleteIfExists(coming);
      Files.deleteIfExists(whole);
      for (String server : servers) {
        Files.deleteIfExists(file(server, fileName));
      }
      throw e;
    }
  }

  private void distribute(Path whole, List<String> servers) throws IOException {
    String fileName = whole.getFileName().toString();
    for (String server : servers.subList(1, servers.size())) {
      Path link = file(server, fileName);
      try {
        Files.createLink(link, whole);
      } catch (FileAlreadyExistsException e) {
        continue; // given before its JVM was killed
      } catch (UnsupportedOperationException | FileSystemException e) {
        Files.copy(whole, link, StandardCopyOption.REPLACE_EXISTING); // no links here
      }
    }
    Files.move(whole, file(servers.get(0), fileName), StandardCopyOption.ATOMIC_MOVE);
  }

  /**
   * Brings a dead JVM's queue to where it wanted to be.
   *
   * @return half-written profiles that were removed
   */
  int repair(List<String> servers) throws IOException {
    int torn = 0;
    for (Path half : list(directory.resolve(COMING))) {
      Files.deleteIfExists(half);
      torn++;
    }
    for (String server : servers) {
      Files.createDirectories(directory.resolve(server));
    }
    for (Path whole : list(directory.resolve(WHOLE))) {
      distribute(whole, servers);
    }
    return torn;
  }

  List<Path> waiting(String server) throws IOException {
    return list(directory.resolve(server));
  }

  private static List<Path> list(Path directory) throws IOException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      files.forEach(found::add);
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return found;
  }

  /** Lets go of it, and removes it when nothing waits, for whatever server. */
  void release() throws IOException {
    if (lock.isEmpty()) {
      return;
    }
    try (FileChannel held = lock.get()) {
      boolean empty = entries == 0 && held.isOpen();
      for (Path part : list(directory)) {
        empty &= !Files.isDirectory(part) || list(part).isEmpty();
      }
      if (empty) {
        removeTree(directory);
      }
    }
  }

  private static void removeTree(Path directory) throws IOException {
    for (Path part : list(directory)) {
      if (Files.isDirectory(part, LinkOption.NOFOLLOW_LINKS)) {
        removeTree(part);
      } else {
        Files.deleteIfExists(part);
      }
    }
    Files.deleteIfExists(directory);
  }
}
