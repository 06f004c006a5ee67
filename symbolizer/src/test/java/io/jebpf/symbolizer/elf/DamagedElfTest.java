package io.jebpf.symbolizer.elf;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.symbolizer.Compiled;
import io.jebpf.symbolizer.ProcessMemory;
import io.jebpf.symbolizer.TestTools;
import io.jebpf.symbolizer.unwind.UnwindCompiler;
import io.jebpf.symbolizer.unwind.UnwindTable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Nothing that a file or memory may hold makes our readers throw, hang or allocate without bound.
 */
class DamagedElfTest {
  private static final int ROUNDS = 4000;
  private static final long ROUND_MILLIS_MAX = 5000;

  @TempDir Path directory;

  private final long seed = Long.getLong("jebpf.seed", 20261121L);
  private final Random random = new Random(seed);

  /** An image in memory as the loader lays a file out; what is not loaded is unreadable. */
  private static ProcessMemory loaded(byte[] file, long base) {
    return (address, into, offset, length) ->
        new ArrayBytes(file).read(address - base, into, offset, length);
  }

  @Test
  @Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void damagedFiles() throws Exception {
    List<byte[]> files = new ArrayList<>();
    files.add(Files.readAllBytes(Path.of(System.getProperty("java.home"), "lib/libjli.so")));
    files.add(
        Files.readAllBytes(
            Compiled.library(
                directory,
                "small.c",
                "__thread int x; int f(int a) { return a + x; } int g(void) { return f(f(1)); }")));
    Path libm = TestTools.library("libm.so");
    if (Files.exists(libm)) {
      files.add(Files.readAllBytes(libm));
    }
    for (int round = 0; round < ROUNDS; round++) {
      byte[] damaged = files.get(round % files.size()).clone();
      damage(damaged);
      if (random.nextInt(8) == 0) {
        damaged = Arrays.copyOf(damaged, random.nextInt(damaged.length));
      }
      long start = System.nanoTime();
      try {
        readEverything(ElfImage.ofBytes("damaged", damaged));
        long base = random.nextInt(1000) * 4096L;
        readEverything(ElfImage.ofMemory("damaged", loaded(damaged, base), base));
      } catch (ElfException e) {
        // An answer.
      } catch (Throwable e) {
        throw new AssertionError("round " + round + " with -Djebpf.seed=" + seed, e);
      }
      long millis = (System.nanoTime() - start) / 1_000_000;
      int shown = round;
      assertTrue(
          millis < ROUND_MILLIS_MAX,
          () -> "round " + shown + " took " + millis + " ms with -Djebpf.seed=" + seed);
    }
  }

  /** Most damage is where the structure is: headers, tables of the dynamic section, unwind data. */
  private void damage(byte[] file) throws ElfException {
    List<long[]> places = new ArrayList<>();
    places.add(new long[] {0, 64 + 10 * 56});
    try (ElfImage image = ElfImage.ofBytes("sound", file.clone())) {
      for (ElfSection section : image.sections()) {
        boolean structure =
            List.of(
                    ".eh_frame",
                    ".eh_frame_hdr",
                    ".dynamic",
                    ".gnu.hash",
                    ".dynsym",
                    ".symtab",
                    ".strtab",
                    ".note.gnu.build-id",
                    ".rela.dyn")
                .contains(section.name());
        if (structure && section.bytes() > 0) {
          places.add(new long[] {section.offset(), section.bytes()});
        }
      }
      places.add(
          new long[] {file.length - 64L * image.sections().size(), 64L * image.sections().size()});
    }
    for (int flips = 1 << random.nextInt(6); flips > 0; flips--) {
      long[] place = places.get(random.nextInt(places.size()));
      int at = (int) (place[0] + (long) (random.nextDouble() * place[1]));
      if (at >= 0 && at < file.length) {
        switch (random.nextInt(4)) {
          case 0 -> file[at] ^= (byte) (1 << random.nextInt(8));
          case 1 -> file[at] = (byte) 0xff;
          case 2 -> file[at] = 0;
          default -> file[at] = (byte) random.nextInt();
        }
      }
    }
  }

  private void readEverything(ElfImage image) {
    image.buildId();
    image.sections();
    ElfSymbols.find(image, List.of("f", "JLI_Launch", "no such"));
    ElfTls.moduleSlot(image);
    UnwindTable table = UnwindCompiler.compile(image);
    for (int i = 1; i < table.rows(); i++) {
      assertTrue(Integer.compareUnsigned(table.start(i - 1), table.start(i)) < 0, "sorted");
    }
    CodeSymbols symbols = CodeSymbols.read(image);
    for (int i = 0; i < 20; i++) {
      symbols.find(random.nextInt(1 << 20)).ifPresent(symbols::name);
    }
  }
}
