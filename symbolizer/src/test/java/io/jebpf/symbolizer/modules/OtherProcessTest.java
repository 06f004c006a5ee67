package io.jebpf.symbolizer.modules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jebpf.symbolizer.ProcessMemory;
import io.jebpf.symbolizer.TestTools;
import io.jebpf.symbolizer.elf.ElfImage;
import io.jebpf.symbolizer.unwind.UnwindCompiler;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process whose files are in a mount namespace of its own. */
class OtherProcessTest {
  @TempDir Path directory;

  @Test
  void filesOfAnotherMountNamespaceAreOpened() throws Exception {
    TestTools.need("unshare");
    Path hidden = Files.createDirectory(directory.resolve("hidden"));
    String script =
        "mount -t tmpfs none "
            + hidden
            + " && cp /bin/sleep "
            + hidden
            + "/napper && echo ready && exec "
            + hidden
            + "/napper 60";
    Process process = new ProcessBuilder("unshare", "--mount", "sh", "-c", script).start();
    try {
      boolean ready = "ready".equals(process.inputReader().readLine());
      assumeTrue(ready, () -> "no mount namespace: " + error(process));
      Path proc = Path.of("/proc", Long.toString(process.pid()));
      ModuleTable table = awaitModule(proc, hidden + "/napper");
      assertFalse(Files.exists(hidden.resolve("napper")), "visible in its namespace only");
      Module module = table.byFileName("napper").orElseThrow();
      assertEquals(hidden + "/napper", module.path());
      try (ElfImage image = module.open()) {
        assertFalse(image.inMemory());
        assertTrue(UnwindCompiler.compile(image).functions() > 10);
      }
      process.destroy();
      assertTrue(process.waitFor(10, TimeUnit.SECONDS));
      assertThrows(IOException.class, table::refresh);
    } finally {
      process.destroyForcibly();
    }
  }

  private static ModuleTable awaitModule(Path proc, String path) throws Exception {
    ProcessMemory memory =
        (address, into, offset, length) -> {
          try (RandomAccessFile file = new RandomAccessFile(proc.resolve("mem").toFile(), "r")) {
            file.seek(address);
            file.readFully(into, offset, length);
            return true;
          } catch (IOException e) {
            return false;
          }
        };
    ModuleTable table = new ModuleTable(proc, memory);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (System.nanoTime() < deadline) {
      table.refresh(); // until the shell has become the program
      if (table.mappings().stream().anyMatch(m -> m.module().path().equals(path))) {
        return table;
      }
      Thread.sleep(10);
    }
    throw new AssertionError("no mapping of " + path);
  }

  private static String error(Process process) {
    try {
      return new String(process.getErrorStream().readAllBytes()).strip();
    } catch (IOException e) {
      return e.toString();
    }
  }
}
