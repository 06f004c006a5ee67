package io.jebpf.symbolizer.modules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.symbolizer.Compiled;
import io.jebpf.symbolizer.ProcessMemory;
import io.jebpf.symbolizer.elf.ElfImage;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where a mapped object's bytes are found, in a made-up /proc directory. */
class ModuleFileTest {
  private static final long BASE = 0x7f00_0000_0000L;
  private static final String PATH = "/opt/app/libapp.so";

  @TempDir Path directory;

  private Path library;
  private Path inRoot;
  private Path proc;
  private int memoryReads;

  @BeforeEach
  void setUp() throws Exception {
    library =
        Compiled.library(
            directory, "app.c", "int f(int x) { return x; }", "-Wl,--build-id=sha1", "-Wl,-z,now");
    proc = Files.createDirectory(directory.resolve("proc"));
    inRoot = proc.resolve("root" + PATH);
    Files.createDirectories(inRoot.getParent());
    Files.createDirectory(proc.resolve("map_files"));
  }

  /** One executable mapping of all of the file, as it is laid out in it. */
  private void maps(long device, long inode, String suffix) throws Exception {
    long bytes = Files.size(library) + 4095 & -4096;
    Files.writeString(
        proc.resolve("maps"),
        String.format(
            "%x-%x r-xp 00000000 %02x:%02x %d %s%s%n",
            BASE, BASE + bytes, device >>> 32, device & 0xffff_ffffL, inode, PATH, suffix));
  }

  private static long inode(Path file) throws Exception {
    return ((Number) Files.getAttribute(file, "unix:ino")).longValue();
  }

  private static long device(Path file) throws Exception {
    return ModuleFile.device(((Number) Files.getAttribute(file, "unix:dev")).longValue());
  }

  private void mapFile(Path target) throws Exception {
    long bytes = Files.size(library) + 4095 & -4096;
    String range = Long.toHexString(BASE) + "-" + Long.toHexString(BASE + bytes);
    Files.createSymbolicLink(proc.resolve("map_files").resolve(range), target);
  }

  private ModuleTable table(boolean readable) throws Exception {
    byte[] contents = Files.readAllBytes(library);
    ProcessMemory memory =
        (address, into, offset, length) -> {
          memoryReads++;
          long at = address - BASE;
          if (!readable || at < 0 || at > contents.length - length) {
            return false;
          }
          System.arraycopy(contents, (int) at, into, offset, length);
          return true;
        };
    return new ModuleTable(proc, memory);
  }

  private ElfImage open(ModuleTable table) throws Exception {
    return table.byFileName("libapp.so").orElseThrow().open();
  }

  @Test
  void sameDeviceAndInodeIsTheFile() throws Exception {
    Files.copy(library, inRoot);
    maps(device(inRoot), inode(inRoot), "");
    ModuleTable table = table(false);
    assertTrue(table.refresh());
    try (ElfImage image = open(table)) {
      assertEquals(inRoot.toString(), image.name());
    }
    assertEquals(0, memoryReads);
  }

  @Test
  void otherDeviceNumberIsTheFileIfTheBuildIdIs() throws Exception {
    Files.copy(library, inRoot);
    maps(0x5_0000_0001L, 4711, ""); // as overlayfs and btrfs do
    ModuleTable table = table(true);
    table.refresh();
    try (ElfImage image = open(table)) {
      assertEquals(inRoot.toString(), image.name());
    }
    assertTrue(memoryReads > 0);
  }

  @Test
  void anotherFileAtThePathIsPassedOver() throws Exception {
    Path other = Compiled.library(directory, "other.c", "int g;", "-Wl,--build-id=sha1");
    Files.copy(other, inRoot);
    maps(device(library), inode(library), "");
    mapFile(library);
    ModuleTable table = table(true);
    table.refresh();
    try (ElfImage image = open(table)) {
      assertTrue(image.name().contains("map_files"), image::name);
    }
  }

  @Test
  void deletedFileIsReachedThroughItsMapping() throws Exception {
    Files.copy(library, inRoot);
    maps(device(library), inode(library), " (deleted)");
    mapFile(library);
    ModuleTable table = table(true);
    table.refresh();
    try (ElfImage image = open(table)) {
      assertTrue(image.name().contains("map_files"), image::name);
      assertFalse(image.inMemory());
    }
  }

  @Test
  void memoryIsTheLastResort() throws Exception {
    maps(device(library), inode(library), " (deleted)");
    ModuleTable table = table(true);
    table.refresh();
    try (ElfImage image = open(table)) {
      assertTrue(image.inMemory());
    }
  }

  @Test
  void nothingReadableIsRefusedWithEachReasonAndTriedAFewTimes() throws Exception {
    maps(device(library), inode(library), "");
    ModuleTable table = table(false);
    assertFalse(table.refresh());
    String reason = table.refusals().get(PATH);
    assertTrue(reason.startsWith("cannot open " + PATH + ": "), reason);
    assertTrue(reason.contains("root" + PATH), reason);
    assertTrue(reason.contains("map_files"), reason);
    assertTrue(reason.contains("cannot read the ELF header"), reason);
    int before = memoryReads;
    for (int i = 0; i < 20; i++) {
      maps(device(library), inode(library), i % 2 == 0 ? " (deleted)" : ""); // the maps change
      table.refresh();
    }
    assertEquals(before + 4, memoryReads, "five tries in all");
  }

  @Test
  void otherThanElfIsRefusedForGood() throws Exception {
    Files.writeString(inRoot, "#!/bin/sh\n" + "x".repeat(8192));
    maps(device(inRoot), inode(inRoot), "");
    ModuleTable table = table(true);
    assertFalse(table.refresh());
    assertEquals(inRoot + " is not an ELF object", table.refusals().get(PATH));
    assertEquals(0, memoryReads);
  }
}
