package io.jebpf.symbolizer.hotspot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class X86Test {
  private static final HexFormat HEX = HexFormat.of();

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({
    "c3, 1, true",
    "c20800, 3, true",
    "eb05, 2, true",
    "e900000000, 5, true",
    "ffe0, 2, true", // jmp rax
    "41ff6424f8, 5, true", // jmp [r12-8]
    "f4, 1, true",
    "0f0b, 2, true",
    "e800000000, 5, false",
    "ffd0, 2, false", // call rax
    "7405, 2, false",
    "0f8400000000, 6, false",
    "5d, 1, false",
    "4157, 2, false",
    "66c7450010ff, 6, false", // mov word [rbp], imm16
    "48b80000000000000000, 10, false",
    "f20f10442410, 6, false",
    "c5f877, 3, false",
    "c5f970c04e, 5, false", // vpshufd
    "c4e37d39c101, 6, false", // vextracti128
    "62f17c481000, 6, false",
    "660f3a0fc108, 6, false",
  })
  void knowsLengthsAndEnds(String bytes, int length, boolean ends) {
    byte[] code = HEX.parseHex(bytes + "90");
    assertEquals(length, X86.length(code, 0));
    assertEquals(ends, X86.endsBlock(code, 0, length));
    for (int cut = 1; cut < length; cut++) {
      assertEquals(0, X86.length(java.util.Arrays.copyOf(code, cut), 0), "cut to " + cut);
    }
  }

  /** Every instruction of this JVM's own library, as binutils sees it. */
  @Test
  void agreesWithObjdump() throws Exception {
    Path objdump = Path.of("/usr/bin/objdump");
    Path library = Path.of(System.getProperty("java.home"), "lib", "libjava.so");
    Assumptions.assumeTrue(Files.isExecutable(objdump), "no objdump (binutils)");
    Path out = directory.resolve("code");
    Process process =
        new ProcessBuilder(objdump.toString(), "-d", "--insn-width=16", library.toString())
            .redirectOutput(out.toFile())
            .start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    List<String> wrong = new ArrayList<>();
    int instructions = 0;
    for (String line : Files.readAllLines(out, StandardCharsets.ISO_8859_1)) {
      String[] columns = line.split("\t");
      if (columns.length < 3 || columns[2].startsWith("(bad)")) {
        continue;
      }
      byte[] code = HEX.parseHex(columns[1].replace(" ", ""));
      instructions++;
      int length = X86.length(code, 0);
      boolean ends = length > 0 && X86.endsBlock(code, 0, length);
      String mnemonic = columns[2].replaceFirst("^(bnd|notrack|repz|cs|ds|data16) ", "");
      boolean truth = mnemonic.matches("(ret|jmp|hlt|ud2|int3).*");
      if (length != code.length || ends != truth) {
        wrong.add(length + " bytes, " + ends + ": " + line);
      }
    }
    assertTrue(instructions > 10_000, "instructions: " + instructions);
    assertEquals(List.of(), wrong.stream().limit(5).toList());
  }
}
