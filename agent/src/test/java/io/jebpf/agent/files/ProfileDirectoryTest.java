package io.jebpf.agent.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProfileDirectoryTest {
  private static final Instant START = Instant.parse("2026-11-21T09:30:05.123Z");
  @TempDir private Path parent;

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static ProfileDirectory.Content bytes(int count) {
    return out -> out.write(new byte[count]);
  }

  @Test
  void filesAreNamedByKindAndUtcStart() throws IOException {
    Path directory = parent.resolve("a/b/out");
    ProfileDirectory profiles = ProfileDirectory.open(directory, 1 << 20);
    Path file = profiles.write("cpu", START, bytes(100));
    assertEquals(directory.resolve("cpu-20261121T093005Z.pb.gz"), file);
    assertEquals(100, Files.size(file));
    assertEquals(List.of("cpu-20261121T093005Z.pb.gz"), names(directory));
    assertEquals(1, profiles.filesWritten());
    assertEquals(100, profiles.bytesWritten());
    int mode = (Integer) Files.getAttribute(directory, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    assertEquals(0700, mode & 07777);
  }

  @Test
  void aTakenNameIsNeverReplaced() throws IOException {
    ProfileDirectory one = ProfileDirectory.open(parent, 1 << 20);
    ProfileDirectory two = ProfileDirectory.open(parent, 1 << 20);
    one.write("cpu", START, bytes(1));
    two.write("cpu", START, bytes(2));
    two.write("cpu", START, bytes(3));
    assertEquals(
        List.of(
            "cpu-20261121T093005Z.pb.gz",
            "cpu-20261121T093005Z_1.pb.gz",
            "cpu-20261121T093005Z_2.pb.gz"),
        names(parent));
    assertEquals(1, Files.size(parent.resolve("cpu-20261121T093005Z.pb.gz")));
  }

  @Test
  void theOldestGoFirstAndAreCounted() throws IOException {
    ProfileDirectory profiles = ProfileDirectory.open(parent, 1000);
    Files.writeString(parent.resolve("readme.txt"), "x".repeat(5000)); // not ours: stays
    for (int i = 0; i < 10; i++) {
      Path file = profiles.write("cpu", START.plusSeconds(10L * i), bytes(300));
      Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000L + 1000L * i));
    }
    assertEquals(
        List.of(
            "cpu-20261121T093115Z.pb.gz",
            "cpu-20261121T093125Z.pb.gz",
            "cpu-20261121T093135Z.pb.gz",
            "readme.txt"),
        names(parent));
    assertEquals(7, profiles.filesRotated());
    assertEquals(10, profiles.filesWritten());
  }

  @Test
  void aFailedWriteLeavesNothing() throws IOException {
    ProfileDirectory profiles = ProfileDirectory.open(parent, 1000);
    IOException failure =
        assertThrows(
            IOException.class,
            () ->
                profiles.write(
                    "cpu",
                    START,
                    out -> {
                      out.write(new byte[50_000]);
                      throw new IOException("No space left on device");
                    }));
    assertEquals("No space left on device", failure.getMessage());
    assertEquals(List.of(), names(parent));
    assertEquals(0, profiles.filesWritten());
  }

  @Test
  void leftoversOfTheDeadAreRemovedAndThoseOfTheLivingAreNot() throws Exception {
    Path dead = Files.writeString(parent.resolve(".jebpf-dead.tmp"), "half");
    Path young = Files.createFile(parent.resolve(".jebpf-young.tmp"));
    Path living = Files.writeString(parent.resolve(".jebpf-living.tmp"), "half");
    Path other = Files.writeString(parent.resolve("other.tmp"), "half");
    Process holder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                LockHolder.class.getName(),
                living.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertEquals('L', holder.getInputStream().read());
      ProfileDirectory.open(parent, 1000);
      assertTrue(Files.exists(living));
      assertTrue(Files.exists(young));
      assertTrue(Files.exists(other));
      assertTrue(Files.notExists(dead));
    } finally {
      holder.destroyForcibly();
      holder.waitFor();
    }
    ProfileDirectory.open(parent, 1000);
    assertTrue(Files.notExists(living));
  }

  /** Another JVM in the middle of a write. */
  static final class LockHolder {
    public static void main(String[] arguments) throws Exception {
      try (FileChannel channel = FileChannel.open(Path.of(arguments[0]), StandardOpenOption.WRITE);
          FileLock lock = channel.lock()) {
        System.out.write(lock.isValid() ? 'L' : 'x');
        System.out.flush();
        Thread.sleep(60_000);
      }
    }
  }

  @Test
  void aFileInTheWayIsNamed() throws IOException {
    Path file = Files.writeString(parent.resolve("file"), "");
    IOException failure = assertThrows(IOException.class, () -> ProfileDirectory.open(file, 1000));
    assertTrue(failure.toString().contains(file.toString()), failure.toString());
  }
}
