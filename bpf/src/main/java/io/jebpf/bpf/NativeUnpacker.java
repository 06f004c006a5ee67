package io.jebpf.bpf;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Writes libraries to a directory that only we can read and write, loads them, and removes files
 * and directory again, whatever happened. A directory that can not be used (missing, full, mounted
 * noexec, open to others) costs one reason in the message; the next one is tried.
 */
final class NativeUnpacker {
  static final String PREFIX = "jebpf-native-";
  private static final int NAME_ATTEMPTS = 8;
  private static final int STALE_LOOKS_MAX = 10_000;
  private static final Duration STALE_AGE = Duration.ofMinutes(10);
  private static final int OTHERS_MAY_WRITE = 022;
  private static final int STICKY = 01000;

  /** One library, named as the others need it. */
  record Library(String name, byte[] bytes) {}

  private final List<Library> libraries;
  private final List<String> refused = new ArrayList<>();

  NativeUnpacker(List<Library> libraries) {
    this.libraries = libraries;
  }

  /** Places that could not be used, each with its reason. */
  List<String> refused() {
    return List.copyOf(refused);
  }

  /** Handles of the loaded libraries, in their order. */
  long[] load(List<Path> parents) throws NativeLoadException {
    for (Path parent : parents) {
      try {
        return loadUnder(parent);
      } catch (IOException e) {
        refused.add(parent + ": " + reason(e));
      }
    }
    try {
      return loadFromMemory();
    } catch (IOException e) {
      refused.add("memory file: " + reason(e));
    }
    throw new NativeLoadException(
        "the native libraries of jebpf could not be loaded from any directory ["
            + String.join("; ", refused)
            + "]; set native.dir to a directory that is writable, not full and not mounted noexec"
            + " (glibc 2.33 or newer is needed)");
  }

  private long[] loadUnder(Path given) throws IOException {
    Path parent = given.toRealPath();
    requireSafe(parent);
    removeStale(parent);
    Path directory = createPrivate(parent);
    List<Path> files = new ArrayList<>();
    try {
      for (Library library : libraries) {
        Path file = directory.resolve(library.name());
        files.add(file);
        Files.write(file, library.bytes(), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      }
      return open(files);
    } finally {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(directory);
    }
  }

  /**
   * For read-only containers. Slightly odd paths, so that no other user of this trick means the
   * same name.
   */
  private long[] loadFromMemory() throws IOException {
    int[] fds = new int[libraries.size()];
    Arrays.fill(fds, -1);
    List<Path> files = new ArrayList<>();
    try {
      for (int i = 0; i < fds.length; i++) {
        fds[i] = Libdl.memoryFile(libraries.get(i).name());
        if (fds[i] < 0) {
          throw new IOException("memfd_create failed");
        }
        Files.write(
            Path.of("/proc/self/fd/" + fds[i]), libraries.get(i).bytes(), StandardOpenOption.WRITE);
        files.add(Path.of("/proc/self/task/" + ProcessHandle.current().pid() + "/fd/" + fds[i]));
      }
      return open(
          files); // all are open until all are loaded: a reused number would be a name seen before
    } finally {
      for (int fd : fds) {
        if (fd >= 0) {
          Libdl.closeFile(fd);
        }
      }
    }
  }

  private static long[] open(List<Path> files) throws IOException {
    long[] handles = new long[files.size()];
    for (int i = 0; i < handles.length; i++) {
      handles[i] = Libdl.open(files.get(i).toString());
      if (handles[i] == 0) {
        String why = Libdl.error();
        while (i-- > 0) {
          Libdl.close(handles[i]);
        }
        throw new IOException(explain(why));
      }
    }
    return handles;
  }

  private static String explain(String why) {
    return why.contains("failed to map segment") || why.contains("Operation not permitted")
        ? why + " (mounted noexec?)"
        : why;
  }

  /** Whoever can rename our directory could put another in its place before we load from it. */
  private static void requireSafe(Path parent) throws IOException {
    int mode = (int) Files.getAttribute(parent, "unix:mode");
    if ((mode & OTHERS_MAY_WRITE) != 0 && (mode & STICKY) == 0) {
      throw new IOException(
          "other users may rename files in it (mode "
              + Integer.toOctalString(mode & 07777)
              + " without sticky bit)");
    }
  }

  private static Path createPrivate(Path parent) throws IOException {
    FileAttribute<?> ownerOnly =
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    SplittableRandom random =
        new SplittableRandom(System.nanoTime() ^ ProcessHandle.current().pid());
    for (int attempt = 1; ; attempt++) {
      String name =
          PREFIX + ProcessHandle.current().pid() + "-" + Long.toHexString(random.nextLong() >>> 1);
      try {
        return Files.createDirectory(parent.resolve(name), ownerOnly);
      } catch (FileAlreadyExistsException e) {
        if (attempt == NAME_ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /**
   * Removes what a process that was killed between unpacking and deleting left behind. Failing is
   * fine.
   */
  private static void removeStale(Path parent) {
    Instant old = Instant.now().minus(STALE_AGE);
    int looks = 0;
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(parent)) {
      for (Path entry : entries) {
        if (++looks > STALE_LOOKS_MAX) {
          return;
        }
        if (entry.getFileName().toString().startsWith(PREFIX)) {
          removeIfStale(entry, old);
        }
      }
    } catch (IOException | RuntimeException e) {
      return; // not ours to judge: if the directory is of no use, creating ours will say so
    }
  }

  private static void removeIfStale(Path directory, Instant old) throws IOException {
    FileTime changed = Files.getLastModifiedTime(directory, LinkOption.NOFOLLOW_LINKS);
    if (changed.toInstant().isAfter(old)
        || !Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "jebpf*.so")) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    }
    Files.deleteIfExists(directory);
  }

  private static String reason(IOException e) {
    String kind = e.getClass().getSimpleName();
    return switch (e) {
      case NoSuchFileException missing -> "does not exist";
      case AccessDeniedException denied -> "permission denied";
      case FileSystemException failed -> failed.getReason() == null ? kind : failed.getReason();
      default -> e.getMessage() == null ? kind : e.getMessage();
    };
  }
}
