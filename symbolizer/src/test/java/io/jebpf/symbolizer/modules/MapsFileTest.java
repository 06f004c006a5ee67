package io.jebpf.symbolizer.modules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MapsFileTest {
  private static final String TEXT =
      """
      55d0c0a00000-55d0c0a01000 r--p 00000000 103:02 1234                      /usr/bin/java
      55d0c0a01000-55d0c0a02000 r-xp 00001000 103:02 1234                      /usr/bin/java
      55d0c1000000-55d0c1021000 rw-p 00000000 00:00 0                          [heap]
      7f0000000000-7f0000270000 rwxp 00000000 00:00 0\s
      7f1000000000-7f1000010000 r-xp 00002000 00:1f 77                         /tmp/a b.so (deleted)
      7f1000020000-7f1000030000 r-xp 00000000 00:1f 78                         /tmp/new\\012line.so
      7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]
      ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
      """;

  @TempDir Path directory;

  private MapsFile maps(String text) throws IOException {
    return new MapsFile(Files.writeString(directory.resolve("maps"), text));
  }

  private List<MapsEntry> read(String text) throws IOException {
    return maps(text).read().entries();
  }

  @Test
  void readsFilesAndTheVdso() throws IOException {
    List<MapsEntry> entries = read(TEXT);
    assertEquals(5, entries.size());
    assertEquals(
        new MapsEntry(
            0x55d0c0a01000L,
            0x55d0c0a02000L,
            true,
            0x1000,
            0x103_0000_0002L,
            1234,
            "/usr/bin/java",
            false),
        entries.get(1));
    assertEquals("/tmp/a b.so", entries.get(2).path());
    assertTrue(entries.get(2).deleted());
    assertEquals("/tmp/new\nline.so", entries.get(3).path());
    assertTrue(entries.get(4).isVdso());
  }

  @Test
  void fingerprintChangesWithExecutableFilesOnly() throws IOException {
    long before = maps(TEXT).fingerprint();
    assertEquals(before, maps(TEXT).read().fingerprint());
    assertEquals(before, maps(TEXT.replace("1021000", "1042000")).fingerprint(), "heap grew");
    assertEquals(before, maps(TEXT.replace("270000 rwx", "280000 rwx")).fingerprint(), "a JIT");
    assertNotEquals(before, maps(TEXT.replace("1000010000", "1000011000")).fingerprint());
    assertNotEquals(before, maps(TEXT.replace("1f 77 ", "1f 79 ")).fingerprint());
    assertNotEquals(before, maps(TEXT.replace(" (deleted)", "")).fingerprint());
  }

  @Test
  void doubledAndOverlappingLinesOfATornReadAreDropped() throws IOException {
    String line = TEXT.lines().toList().get(1) + "\n";
    assertEquals(read(TEXT), read(TEXT.replace(line, line + line)));
    assertEquals(read(TEXT), read(TEXT + line));
    String overlap = line.replace("55d0c0a01000-55d0c0a02000", "55d0c0a01800-55d0c0a03000");
    assertEquals(read(TEXT), read(TEXT.replace(line, line + overlap)));
  }

  @Test
  void lastLineWithoutEndIsNotRead() throws IOException {
    String cut = TEXT.substring(0, TEXT.indexOf("/tmp/a b.so") + 5);
    assertEquals(2, read(cut).size());
  }

  @Test
  void manyLinesCrossBufferBorders() throws IOException {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 5000; i++) {
      text.append(
          String.format(
              "%x-%x r-xp 00000000 08:01 %d   /lib/%s%d.so%n",
              0x10000L * (i + 1), 0x10000L * (i + 1) + 0x1000, i + 1, "x".repeat(i % 97), i));
    }
    List<MapsEntry> entries = read(text.toString());
    assertEquals(5000, entries.size());
    for (int i = 0; i < 5000; i++) {
      assertEquals("/lib/" + "x".repeat(i % 97) + i + ".so", entries.get(i).path());
      assertEquals(i + 1, entries.get(i).inode());
    }
  }

  @Test
  void endlessLineIsDropped() throws IOException {
    String endless = "100-200 r-xp 00000000 08:01 5 /" + "y".repeat(200_000) + "\n";
    List<MapsEntry> entries = read(endless + TEXT);
    assertEquals(read(TEXT), entries);
  }

  @Test
  void damageNeverThrows() throws IOException {
    long seed = Long.getLong("jebpf.seed", 20261121L);
    Random random = new Random(seed);
    for (int round = 0; round < 2000; round++) {
      StringBuilder text = new StringBuilder(TEXT);
      for (int i = random.nextInt(20); i >= 0; i--) {
        text.setCharAt(random.nextInt(text.length()), (char) random.nextInt(128));
      }
      text.setLength(random.nextInt(text.length()));
      try {
        read(text.toString());
      } catch (RuntimeException e) {
        throw new AssertionError("round " + round + " with -Djebpf.seed=" + seed, e);
      }
    }
  }

  @Test
  void missingFileIsAnError() {
    MapsFile none = new MapsFile(directory.resolve("none"));
    assertThrows(IOException.class, none::fingerprint);
  }
}
