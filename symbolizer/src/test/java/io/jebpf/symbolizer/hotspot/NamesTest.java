package io.jebpf.symbolizer.hotspot;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NamesTest {
  @ParameterizedTest
  @CsvSource({
    "java/util/HashMap,java.util.HashMap,java/util/",
    "Main,Main,''",
    "a/Outer$Inner$1,a.Outer$Inner$1,a/",
    "a/V$$Lambda+0x00000000900c0400,a.V$$Lambda,a/",
    "a/V$$Lambda$14+0x0000000800c03000,a.V$$Lambda,a/",
    "a/V$$Lambda/0x80000001d,a.V$$Lambda,a/",
    "java/lang/invoke/LambdaForm$MH+0x000074,java.lang.invoke.LambdaForm$MH,java/lang/invoke/",
    "a/Not$$Lambdas$x,a.Not$$Lambdas$x,a/",
    "a/Sum+0xyz,a.Sum+0xyz,a/",
    "kt/MainKt$main$1,kt.MainKt$main$1,kt/",
    "kt/Box$DefaultImpls,kt.Box$DefaultImpls,kt/",
    "sc/Main$$anonfun$run$1,sc.Main$$anonfun$run$1,sc/",
    "sc/package$,sc.package$,sc/",
    "sc/$colon$colon,sc.$colon$colon,sc/",
    "a/b/0x12,a.b,a/",
    "0x12,0x12,''",
  })
  void classNames(String internal, String display, String directory) {
    assertEquals(display, ClassNames.display(internal));
    assertEquals(directory, ClassNames.directory(internal));
  }

  @Test
  void modifiedUtf8AsTheClassFileFormatWritesIt() throws IOException {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int round = 0; round < 500; round++) {
      StringBuilder text = new StringBuilder();
      for (int i = random.nextInt(20); i > 0; i--) {
        int limit = 1 << random.nextInt(5, 21);
        int point = random.nextInt(Math.min(limit, 0x110000));
        if (point < 0xd800 || point > 0xdfff) {
          text.appendCodePoint(point);
        }
      }
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      new DataOutputStream(out).writeUTF(text.toString());
      byte[] bytes = out.toByteArray();
      assertEquals(
          text.toString(), ModifiedUtf8.decode(bytes, 2, bytes.length - 2), "seed " + seed);
    }
  }

  @Test
  void garbageBecomesValidText() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    byte[] bytes = new byte[64];
    for (int round = 0; round < 5_000; round++) {
      random.nextBytes(bytes);
      String text = ModifiedUtf8.decode(bytes, 0, bytes.length);
      byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
      assertEquals(text, new String(encoded, StandardCharsets.UTF_8), "seed " + seed);
    }
    assertEquals("a\ufffdb", ModifiedUtf8.decode(new byte[] {'a', (byte) 0xe0, 'b'}, 0, 3));
  }
}
