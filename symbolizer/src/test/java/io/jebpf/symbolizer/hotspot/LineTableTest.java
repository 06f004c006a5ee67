package io.jebpf.symbolizer.hotspot;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class LineTableTest {
  private static void entry(ByteArrayOutputStream out, int bciDelta, int lineDelta, boolean free) {
    int packed = bciDelta << 3 | lineDelta;
    if (bciDelta >= 0
        && bciDelta < 32
        && lineDelta >= 0
        && lineDelta < 8
        && packed != 0xff
        && packed != 0) {
      out.write(packed);
    } else {
      out.write(0xff);
      Unsigned5Test.encode(out, bciDelta << 1 ^ bciDelta >> 31, free);
      Unsigned5Test.encode(out, lineDelta << 1 ^ lineDelta >> 31, free);
    }
  }

  @Test
  void randomTablesBothEncodings() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      boolean free = random.nextBoolean();
      TreeMap<Integer, Integer> truth = new TreeMap<>();
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      int bci = 0;
      int line = 0;
      for (int i = 0; i < 1 + random.nextInt(40); i++) {
        int nextBci = random.nextInt(4) == 0 ? random.nextInt(3_000) : bci + 1 + random.nextInt(40);
        int nextLine =
            random.nextInt(4) == 0 ? 1 + random.nextInt(9_000) : line + random.nextInt(9);
        if (truth.putIfAbsent(nextBci, nextLine) != null) {
          continue;
        }
        entry(out, nextBci - bci, nextLine - line, free);
        bci = nextBci;
        line = nextLine;
      }
      int length = out.size();
      out.write(0);
      byte[] bytes = out.toByteArray();
      for (int probe = 0; probe < 3_100; probe += 7) {
        var entry = truth.floorEntry(probe);
        int expected = entry == null ? 0 : entry.getValue();
        assertEquals(expected, LineTable.lineOf(probe, bytes, bytes.length, free), "seed " + seed);
      }
      assertEquals(
          LineTable.INCOMPLETE, LineTable.lineOf(4_000, bytes, length, free), "seed " + seed);
    }
  }

  @Test
  void emptyTableHasNoLines() {
    assertEquals(0, LineTable.lineOf(5, new byte[] {0}, 1, true));
    assertEquals(LineTable.INCOMPLETE, LineTable.lineOf(5, new byte[0], 0, true));
  }

  @Test
  void negativeLinesOfADamagedTableAreUnknown() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    entry(out, 0, -40, true);
    out.write(0);
    byte[] bytes = out.toByteArray();
    assertEquals(0, LineTable.lineOf(0, bytes, bytes.length, true));
    assertEquals(0, LineTable.lineOf(3, bytes, bytes.length, true));
  }
}
