package io.jebpf.agent.files;

import io.jebpf.bpf.UnnamedFile;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The directory that profiles are written to: {@code <kind>-<UTC start>.pb.gz}, whole or not at
 * all, within a budget. Owner: thread "jebpf-writer".
 *
 * <p>A file is written without a name and gets it by a link, which never replaces a file of another
 * JVM. Where the file system cannot do that, it is written under a temporary name, locked while it
 * grows. A temporary file that nobody holds a lock on is what a killed process left, and is removed
 * at {@link #open}; locks, unlike process ids, mean the same in every container that shares the
 * directory.
 *
 * <p>Several JVMs may share a directory: the budget is then the directory's, and the oldest file
 * goes first whoever wrote it.
 */
public final class ProfileDirectory {
  private static final String ENDING = ".pb.gz";
  private static final String TEMPORARY_PREFIX = ".jebpf-";
  private static final String TEMPORARY_ENDING = ".tmp";
  private static final int NAME_TRIES_MAX = 100;
  private static final long EMPTY_AGE_MILLIS = 10_000;

  /**
   * The directory is looked through again after so many files, or earlier when half of the room
   * that was left is used: it may hold thousands, and other JVMs write into it.
   */
  private static final int WRITES_PER_SCAN = 32;

  /** So much less than its budget the directory holds after files had to go, as a part of it. */
  private static final int SLACK_DIVISOR = 64;

  private final Path directory;
  private long bytesMax;
  private long filesWritten;
  private long bytesWritten;
  private long filesRotated;
  private long roomBytes; // before it has to be looked through
  private int writesToScan;

  /** Writes the content of a profile. */
  public interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  private ProfileDirectory(Path directory, long bytesMax) {
    this.directory = directory;
    this.bytesMax = bytesMax;
  }

  /**
   * Makes the directory where it is missing, tries it with a file, and clears away what killed
   * processes left.
   *
   * @throws IOException when profiles cannot be written here now; the message says which step
   *     failed
   */
  public static ProfileDirectory open(Path directory, long bytesMax) throws IOException {
    if (!Files.isDirectory(directory)) {
      create(directory);
    }
    ProfileDirectory opened = new ProfileDirectory(directory, bytesMax);
    opened.removeOrphans();
    // Not createTempFile: its random names load the JDK's security providers.
    Files.deleteIfExists(Files.createFile(opened.temporaryName()));
    return opened;
  }

  /**
   * The last name gets mode 0700. A parent that we have to make directly under a directory for
   * everybody (such as /tmp/jebpf) becomes one itself, or the next user's JVM could not use it.
   */
  private static void create(Path directory) throws IOException {
    Path parent = directory.toAbsolutePath().getParent();
    if (parent != null && !Files.exists(parent)) {
      Path grandparent = parent.getParent();
      Files.createDirectories(parent);
      if (grandparent != null && isForEverybody(grandparent)) {
        Files.setAttribute(parent, "unix:mode", 01777);
      }
    }
    try {
      Files.createDirectory(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(directory)) {
        throw new NotDirectoryException(directory.toString());
      }
    }
  }

  private static boolean isForEverybody(Path directory) throws IOException {
    int mode = (Integer) Files.getAttribute(directory, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    return (mode & 01777) == 01777;
  }

  public Path path() {
    return directory;
  }

  /** What the directory may take from now on; a part of the budget may be used elsewhere. */
  public void limit(long bytes) {
    long before = bytesMax;
    bytesMax = Math.max(0, bytes);
    roomBytes -= Math.max(0, before - bytesMax);
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

  /**
   * Writes one profile, and makes room for it by removing the oldest. Leaves nothing on failure.
   */
  public Path write(String kind, Instant start, Content content) throws IOException {
    String stem = kind + "-" + stamp(start);
    Optional<UnnamedFile> unnamed = UnnamedFile.open(directory);
    if (unnamed.isEmpty()) {
      return writeNamed(stem, content);
    }
    try (UnnamedFile file = unnamed.get()) {
      long bytes;
      try (FileChannel channel = file.channel()) {
        bytes = fill(channel, content);
      }
      return finish(stem, bytes, new NamingUnnamed(file));
    }
  }

  /** {@code 20261121T093005Z}; by hand, as a formatter's classes take a millisecond to load. */
  private static String stamp(Instant start) {
    LocalDateTime time = LocalDateTime.ofEpochSecond(start.getEpochSecond(), 0, ZoneOffset.UTC);
    StringBuilder text = new StringBuilder(16);
    digits(text, 100L * (100L * time.getYear() + time.getMonthValue()) + time.getDayOfMonth(), 8);
    text.append('T');
    digits(text, 100L * (100L * time.getHour() + time.getMinute()) + time.getSecond(), 6);
    return text.append('Z').toString();
  }

  private static void digits(StringBuilder text, long number, int length) {
    String digits = Long.toString(number);
    for (int i = digits.length(); i < length; i++) {
      text.append('0');
    }
    text.append(digits);
  }

  /** Makes room, gives a written file its name, and counts it. */
  private Path finish(String stem, long bytes, Naming naming) throws IOException {
    rotate(bytes);
    Path file = publish(stem, naming);
    filesWritten++;
    bytesWritten += bytes;
    return file;
  }

  private static long fill(FileChannel channel, Content content) throws IOException {
    OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 16 << 10);
    content.writeTo(out);
    out.flush();
    return channel.size();
  }

  /** Where the file system has no files without a name (NFS, old overlays). */
  private Path writeNamed(String stem, Content content) throws IOException {
    Path temporary = temporaryName();
    try {
      long bytes;
      try (FileChannel channel =
              FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
          FileLock lock = channel.tryLock()) {
        assert lock != null : "a file just made is locked by another";
        bytes = fill(channel, content);
      }
      return finish(stem, bytes, new Linking(temporary));
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private Path temporaryName() {
    long unique = Long.reverse(System.nanoTime()) ^ ProcessHandle.current().pid();
    return directory.resolve(TEMPORARY_PREFIX + Long.toHexString(unique) + TEMPORARY_ENDING);
  }

  /** Gives a file a name; FileAlreadyExistsException when the name is taken. */
  private interface Naming {
    void name(Path path) throws IOException;
  }

  private record NamingUnnamed(UnnamedFile file) implements Naming {
    @Override
    public void name(Path path) throws IOException {
      file.name(path);
    }
  }

  private record Linking(Path temporary) implements Naming {
    @Override
    public void name(Path path) throws IOException {
      link(path, temporary);
    }
  }

  /** Finds a name that is free; one that is taken gets {@code _<number>}, which sorts behind it. */
  private Path publish(String stem, Naming naming) throws IOException {
    for (int i = 0; i < NAME_TRIES_MAX; i++) {
      Path file = directory.resolve(i == 0 ? stem + ENDING : stem + "_" + i + ENDING);
      try {
        naming.name(file);
        return file;
      } catch (FileAlreadyExistsException e) {
        continue;
      }
    }
    throw new FileAlreadyExistsException(directory.resolve(stem + ENDING).toString());
  }

  private static void link(Path file, Path temporary) throws IOException {
    try {
      Files.createLink(file, temporary);
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (UnsupportedOperationException | FileSystemException e) {
      if (Files.exists(file)) {
        throw new FileAlreadyExistsException(file.toString());
      }
      Files.move(temporary, file); // a file system without links
    }
  }

  private record Profile(Path path, long bytes, long modifiedMillis) {}

  private void rotate(long bytesComing) throws IOException {
    if (writesToScan > 0 && bytesComing <= roomBytes) {
      writesToScan--;
      roomBytes -= bytesComing;
      return;
    }
    long total = bytesComing;
    List<Profile> profiles = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        if (!file.toString().endsWith(ENDING)) {
          continue;
        }
        try {
          BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class);
          profiles.add(new Profile(file, found.size(), found.lastModifiedTime().toMillis()));
          total += found.size();
        } catch (NoSuchFileException e) {
          continue; // another JVM that shares the directory was first
        }
      }
    }
    if (total > bytesMax) {
      total -= removeOldest(profiles, total - (bytesMax - bytesMax / SLACK_DIVISOR));
    }
    roomBytes = (bytesMax - total) / 2;
    writesToScan = WRITES_PER_SCAN;
  }

  /** Removes files of at least so many bytes; how many they had. */
  private long removeOldest(List<Profile> profiles, long bytes) throws IOException {
    profiles.sort(Comparator.comparingLong(Profile::modifiedMillis).thenComparing(Profile::path));
    long removed = 0;
    for (Profile profile : profiles) {
      if (removed >= bytes) {
        break;
      }
      if (Files.deleteIfExists(profile.path())) {
        filesRotated++;
      }
      removed += profile.bytes();
    }
    return removed;
  }

  private void removeOrphans() throws IOException {
    String pattern = TEMPORARY_PREFIX + "*" + TEMPORARY_ENDING;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, pattern)) {
      for (Path file : files) {
        if (isOrphan(file)) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  /** An empty file may belong to a writer that is about to lock it: it has to be old as well. */
  private static boolean isOrphan(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      long ageMillis = System.currentTimeMillis() - Files.getLastModifiedTime(file).toMillis();
      return lock != null && (channel.size() > 0 || ageMillis > EMPTY_AGE_MILLIS);
    } catch (IOException | OverlappingFileLockException e) {
      return false; // gone, not ours, or in use by this JVM
    }
  }
}
