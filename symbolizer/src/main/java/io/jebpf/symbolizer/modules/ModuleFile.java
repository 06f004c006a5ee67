package io.jebpf.symbolizer.modules;

import io.jebpf.symbolizer.ProcessMemory;
import io.jebpf.symbolizer.elf.ElfException;
import io.jebpf.symbolizer.elf.ElfImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds the bytes of a mapped object, in this order: its path below the process's root (the right
 * one also in another mount namespace); the kernel's link to the mapped file itself, which reaches
 * deleted files but needs CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN; the image in memory, which has
 * no {@code .symtab}. A file counts only if it is the mapped one: same device and inode, or same
 * build id as in memory.
 */
final class ModuleFile {
  private final Path process;
  private final ProcessMemory memory;

  /** {@code process} is {@code /proc/<pid>} or {@code /proc/self}. */
  ModuleFile(Path process, ProcessMemory memory) {
    this.process = process;
    this.memory = memory;
  }

  /**
   * Opens the object of an executable mapping.
   *
   * @param header address of the ELF header in memory; 0 when that part is not mapped
   * @param buildId what the object must have; empty when that is not known yet
   */
  ElfImage open(MapsEntry entry, long header, String buildId) throws ElfException {
    List<String> refusals = new ArrayList<>(3);
    if (!entry.isVdso()) {
      String range = Long.toHexString(entry.start()) + "-" + Long.toHexString(entry.end());
      for (String place : List.of("root" + entry.path(), "map_files/" + range)) {
        if (entry.deleted() && place.startsWith("root")) {
          continue;
        }
        try {
          Path path = process.resolve(place);
          return checked(ElfImage.ofFile(path), entry, path, header, buildId);
        } catch (ElfException e) {
          if (e.isForeign()) {
            throw e;
          }
          refusals.add(e.getMessage());
        } catch (InvalidPathException e) {
          // With LANG=C, Java cannot name files with other than ASCII letters.
          refusals.add("this JVM's locale has no letters for " + place);
        }
      }
    }
    if (header == 0) {
      refusals.add("its ELF header is not mapped");
    } else {
      try {
        ElfImage image = ElfImage.ofMemory(entry.path(), memory, header);
        requireBuildId(image, buildId);
        return image;
      } catch (ElfException e) {
        if (e.isForeign()) {
          throw e;
        }
        refusals.add(e.getMessage());
      }
    }
    throw new ElfException("cannot open " + entry.path() + ": " + String.join("; ", refusals));
  }

  private ElfImage checked(ElfImage image, MapsEntry entry, Path path, long header, String buildId)
      throws ElfException {
    try {
      requireBuildId(image, buildId);
      if (!isMapped(image, entry, path, header)) {
        throw new ElfException(path + " is another file than the mapped one");
      }
      return image;
    } catch (ElfException | RuntimeException e) {
      image.close();
      throw e;
    }
  }

  private static void requireBuildId(ElfImage image, String wanted) throws ElfException {
    String found = Module.hex(image.buildId());
    if (!wanted.isEmpty() && !wanted.equals(found)) {
      throw new ElfException(image + " has build id '" + found + "', not '" + wanted + "'");
    }
  }

  private boolean isMapped(ElfImage image, MapsEntry entry, Path path, long header) {
    try {
      long inode = ((Number) Files.getAttribute(path, "unix:ino")).longValue();
      long device = ((Number) Files.getAttribute(path, "unix:dev")).longValue();
      if (inode == entry.inode() && device(device) == entry.device()) {
        return true;
      }
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      // Unknown: the build id decides.
    }
    // On btrfs and overlayfs maps and stat name different devices.
    String buildId = Module.hex(image.buildId());
    if (buildId.isEmpty() || header == 0) {
      return false;
    }
    try (ElfImage loaded = ElfImage.ofMemory(entry.path(), memory, header)) {
      return buildId.equals(Module.hex(loaded.buildId()));
    } catch (ElfException e) {
      return false;
    }
  }

  /** A {@code dev_t} as C libraries encode it, as major << 32 | minor. */
  static long device(long encoded) {
    long major = encoded >>> 8 & 0xfff | encoded >>> 32 & 0xffff_f000L;
    long minor = encoded & 0xff | encoded >>> 12 & 0xffff_ff00L;
    return major << 32 | minor;
  }
}
