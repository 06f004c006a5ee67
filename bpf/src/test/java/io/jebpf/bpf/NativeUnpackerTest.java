package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeUnpackerTest {
  @TempDir Path directory;

  private static final List<NativeUnpacker.Library> GARBAGE =
      List.of(
          new NativeUnpacker.Library(
              "jebpfx.so", "this is no library".getBytes(StandardCharsets.UTF_8)));

  private static List<String> list(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  private static String refusal(List<Path> parents) {
    return assertThrows(NativeLoadException.class, () -> new NativeUnpacker(GARBAGE).load(parents))
        .getMessage();
  }

  @Test
  void aFailedLoadNamesEveryPlaceAndLeavesNothing() throws IOException {
    Path missing = directory.resolve("missing");
    Path file = Files.createFile(directory.resolve("file"));
    Path good = Files.createDirectory(directory.resolve("good"));
    String message = refusal(List.of(missing, file, good));
    assertTrue(message.contains(missing + ": does not exist"), message);
    assertTrue(message.contains(file + ": Not a directory"), message);
    assertTrue(message.contains(good + ": ") && message.contains("jebpfx.so: "), message);
    assertTrue(message.contains("memory file: "), message);
    assertTrue(message.contains("native.dir"), message);
    assertFalse(message.contains("\n"), message);
    assertEquals(List.of(), list(good));
  }

  @Test
  void aDirectoryWhereOthersMayRenameIsRefused() throws IOException {
    Path open = Files.createDirectory(directory.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    String message = refusal(List.of(open));
    assertTrue(message.contains("mode 777 without sticky bit"), message);
  }

  @Test
  void leftoversOfKilledProcessesAreRemovedWhenOld() throws IOException {
    Path old = Files.createDirectory(directory.resolve(NativeUnpacker.PREFIX + "1-a"));
    Files.createFile(old.resolve("jebpfz.so"));
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minusSeconds(3600)));
    Path young = Files.createDirectory(directory.resolve(NativeUnpacker.PREFIX + "2-b"));
    Path other = Files.createDirectory(directory.resolve("other"));
    Files.setLastModifiedTime(other, FileTime.from(Instant.now().minusSeconds(3600)));
    refusal(List.of(directory));
    assertEquals(List.of(young.getFileName().toString(), "other"), list(directory));
  }

  @Test
  void theRuntimeLeavesNothingOnDiskAndUsesItsOwnCopies() throws IOException {
    ChildJvm child = ChildJvm.run(List.of(), LoadMain.class, directory.toString()).clean();
    assertEquals(List.of(), list(directory));
    for (String name : List.of("jebpfz.so", "jebpfelf.so", "jebpfbpf.so", "jebpfhelp.so")) {
      assertTrue(child.out().contains("/" + name + " (deleted)"), child.out());
    }
    assertFalse(child.out().contains("libelf"), child.out());
    assertFalse(child.out().contains("libbpf.so"), child.out());
  }

  /** What the application loads by its usual name, before or after us, is its own. */
  @Test
  void theApplicationsLibrariesAndOursDoNotMix() {
    for (String when : List.of("before", "after")) {
      ChildJvm child = ChildJvm.run(List.of(), HostMain.class, directory.toString(), when).clean();
      List<String> lines = child.out().lines().toList();
      assertTrue(lines.get(0).matches("host libelf .*/libelf.*"), child.out());
      assertTrue(lines.get(1).matches("ours .*/jebpfelf.so \\(deleted\\)"), child.out());
    }
  }

  @Test
  void whereNoDirectoryWorksMemoryDoes() {
    ChildJvm child =
        ChildJvm.run(List.of(), LoadMain.class, directory.resolve("no").toString()).clean();
    assertTrue(child.out().contains("does not exist"), child.out());
    assertTrue(child.out().contains("/memfd:jebpfbpf.so (deleted)"), child.out());
  }

  @Test
  void noexecAndFullDirectoriesCostALineEach() throws IOException {
    Path noexec = Files.createDirectory(directory.resolve("noexec"));
    Path full = Files.createDirectory(directory.resolve("full"));
    Path good = Files.createDirectory(directory.resolve("good"));
    String mounts =
        "mount -t tmpfs -o noexec,mode=755 tmpfs %s && mount -t tmpfs -o size=64k,mode=755 tmpfs %s"
            .formatted(noexec, full);
    ChildJvm probe = ChildJvm.run(List.of("unshare", "-m", "sh", "-c", mounts));
    Assumptions.assumeTrue(probe.exit() == 0, "needs root for mount: " + probe.err().strip());
    List<String> prefix =
        new ArrayList<>(List.of("unshare", "-m", "sh", "-c", mounts + " && exec \"$@\"", "sh"));
    ChildJvm child =
        ChildJvm.run(prefix, LoadMain.class, noexec.toString(), full.toString(), good.toString())
            .clean();
    assertTrue(child.out().contains("refused " + noexec + ": "), child.out());
    assertTrue(child.out().contains("(mounted noexec?)"), child.out());
    assertTrue(child.out().contains("refused " + full + ": No space left on device"), child.out());
    assertTrue(child.out().contains(good + "/" + NativeUnpacker.PREFIX), child.out());
    assertEquals(List.of(), list(good));
  }

  /** Loads the system's libelf before or after us; prints where a function of each lies. */
  static final class HostMain {
    private HostMain() {}

    public static void main(String[] arguments) throws Exception {
      long host = 0;
      if (arguments[1].equals("before")) {
        host = Libdl.open("libelf.so.1");
      }
      NativeRuntime.load(List.of(Path.of(arguments[0])));
      if (arguments[1].equals("after")) {
        host = Libdl.open("libelf.so.1");
      }
      System.out.println("host libelf " + file(Libdl.find(host, "elf_version")));
      // libbpf calls it through its own dependencies: the same look-up as dlsym on its handle.
      System.out.println("ours " + file(NativeRuntime.libbpfSymbol("elf_version")));
    }

    private static String file(long address) throws IOException {
      for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
        String[] range = line.split("[- ]", 3);
        if (Long.compareUnsigned(address, Long.parseUnsignedLong(range[0], 16)) >= 0
            && Long.compareUnsigned(address, Long.parseUnsignedLong(range[1], 16)) < 0) {
          return line.substring(line.indexOf('/'));
        }
      }
      return "nowhere";
    }
  }

  /** Loads the runtime, then prints what was refused and which of our files are mapped. */
  static final class LoadMain {
    private LoadMain() {}

    public static void main(String[] arguments) throws Exception {
      NativeRuntime runtime = NativeRuntime.load(Stream.of(arguments).map(Path::of).toList());
      runtime.refusedPlaces().forEach(reason -> System.out.println("refused " + reason));
      for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
        if (line.contains("jebpf") || line.contains("libelf") || line.contains("libbpf")) {
          System.out.println(line);
        }
      }
      for (String left : arguments) {
        if (Files.isDirectory(Path.of(left)) && !list(Path.of(left)).isEmpty()) {
          System.err.println("left behind in " + left + ": " + list(Path.of(left)));
        }
      }
    }
  }
}
