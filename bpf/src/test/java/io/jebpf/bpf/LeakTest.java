package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Loading and closing, over and over, leaves nothing in the process. */
@Tag("kernel")
class LeakTest {
  private static final int CYCLES = 200;

  private static int fds() {
    return new File("/proc/self/fd").list().length;
  }

  private static long mappings() throws IOException {
    try (var lines = Files.lines(Path.of("/proc/self/maps"))) {
      return lines.filter(l -> l.contains("anon_inode:bpf-map")).count();
    }
  }

  private static void cycle() throws KernelException {
    try (KernelObject object = KernelObject.open(Kernel.runtime(), Kernel.testObject());
        KernelPrograms programs = object.load()) {
      int rule = programs.unwindTables().rule(1, 8, 0, 0, -8);
      programs.unwindTables().add(new int[] {1}, new int[] {rule}, 1);
      programs.cpuSampler().rate(99);
      assertTrue(programs.cpuSampler().cpus() > 0);
    }
  }

  @Test
  void filesAndMappings() throws KernelException, IOException {
    Kernel.require();
    cycle();
    int fds = fds();
    long mappings = mappings();
    for (int i = 0; i < CYCLES; i++) {
      cycle();
    }
    assertEquals(fds, fds());
    assertEquals(mappings, mappings());
  }

  @Test
  void everyFileIsClosedOnExec() throws KernelException, IOException {
    Kernel.require();
    try (KernelPrograms programs = Kernel.load()) {
      programs.cpuSampler().rate(99);
      int ours = 0;
      for (File fd : new File("/proc/self/fd").listFiles()) {
        String target = link(fd.toPath());
        if (target.startsWith("anon_inode:")
            && (target.contains("bpf") || target.contains("perf_event"))) {
          ours++;
          String info = Files.readString(Path.of("/proc/self/fdinfo", fd.getName()));
          int flags = Integer.parseInt(info.replaceFirst("(?s).*?flags:\\s+(\\d+).*", "$1"), 8);
          assertTrue((flags & 02000000) != 0, target + " is not O_CLOEXEC");
        }
      }
      assertTrue(ours > 10, ours + " of our files found");
    }
  }

  /** Empty for the one that listing the directory had open. */
  private static String link(Path fd) throws IOException {
    try {
      return Files.readSymbolicLink(fd).toString();
    } catch (NoSuchFileException e) {
      return "";
    }
  }
}
