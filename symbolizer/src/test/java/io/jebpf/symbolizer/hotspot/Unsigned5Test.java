package io.jebpf.symbolizer.hotspot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Unsigned5Test {
  /** Written from the definition: digits of weight 64^i, the last one is small or the fifth. */
  static void encode(ByteArrayOutputStream out, int number, boolean zeroIsFree) {
    int excess = zeroIsFree ? 1 : 0;
    int small = 256 - 64 - excess;
    long rest = number & 0xffff_ffffL;
    for (int i = 0; i < 4 && rest >= small; i++) {
      long digit = small + (rest - small & 63);
      out.write((int) digit + excess);
      rest = rest - digit >> 6;
    }
    out.write((int) (rest & 0xff) + excess);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void decodesWhatTheDefinitionEncodes(boolean zeroIsFree) {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    int[] numbers = new int[20_000];
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = i < 1_000 ? i : random.nextInt() >>> random.nextInt(32) & 0x7fff_ffff;
      encode(out, numbers[i], zeroIsFree);
    }
    byte[] bytes = out.toByteArray();
    Unsigned5 in = new Unsigned5(bytes, 0, bytes.length, zeroIsFree);
    for (int i = 0; i < numbers.length; i++) {
      assertEquals(numbers[i], in.next(), "number " + i + ", seed " + seed);
    }
    assertTrue(in.ok());
    assertEquals(bytes.length, in.position());
    in.next();
    assertFalse(in.ok());
  }

  @Test
  void boundaryBetweenOneByteAndTwo() {
    // Found by decoding real scopes: 191 needs a second byte where zero is free.
    assertEquals(190, new Unsigned5(new byte[] {(byte) 191}, 0, 1, true).next());
    assertEquals(191, new Unsigned5(new byte[] {(byte) 191}, 0, 1, false).next());
    assertEquals(191, new Unsigned5(new byte[] {(byte) 192, 1}, 0, 2, true).next());
  }

  @Test
  void signsAreInTheLowestBit() {
    for (int value : new int[] {0, 1, -1, 2, -2, 1000, -1000}) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      encode(out, value << 1 ^ value >> 31, true);
      byte[] bytes = out.toByteArray();
      assertEquals(value, new Unsigned5(bytes, 0, bytes.length, true).nextSigned());
    }
  }

  @Test
  void zeroByteInsideANumberIsAnError() {
    Unsigned5 in = new Unsigned5(new byte[] {0, 1}, 0, 2, true);
    assertEquals(0, in.next());
    assertFalse(in.ok());
  }
}
