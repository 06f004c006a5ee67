package io.jebpf.symbolizer.unwind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jebpf.symbolizer.Compiled;
import io.jebpf.symbolizer.TestTools;
import io.jebpf.symbolizer.elf.ElfImage;
import io.jebpf.symbolizer.elf.ElfSymbols;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnwindCompilerTest {
  /** Instructions that compilers seldom use, one row a byte of code. */
  private static final String CRAFTED =
      """
      .text
      .globl crafted
      .type crafted, @function
      crafted:
        .cfi_startproc
        nop
        .cfi_escape 0x0f, 0x03, 0x76, 0x78, 0x06  # CFA = [rbp - 8]
        .cfi_escape 0x10, 0x06, 0x02, 0x76, 0x00  # rbp saved at rbp + 0
        nop
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        nop
        .cfi_remember_state
        .cfi_def_cfa rbp, 16
        .cfi_offset rbp, -16
        nop
        .cfi_restore_state
        nop
        .cfi_escape 0x0f, 0x04, 0x77, 0xa0, 0x01, 0x06  # CFA = [rsp + 160]
        .cfi_escape 0x10, 0x06, 0x03, 0x77, 0xf8, 0x00  # rbp saved at rsp + 120
        .cfi_escape 0x10, 0x10, 0x03, 0x77, 0xa8, 0x01  # rip saved at rsp + 168
        nop
        .cfi_escape 0x0f, 0x02, 0x77, 0x10  # CFA = rsp + 16
        .cfi_restore rbp
        .cfi_restore rip
        nop
        .cfi_undefined rbp
        nop
        .cfi_escape 0x0f, 0x05, 0x77, 0x18, 0x06, 0x23, 0x08  # CFA = [rsp + 24] + 8
        .cfi_same_value rbp
        nop
        .cfi_def_cfa rax, 8
        nop
        .cfi_escape 0x0f, 0x03, 0x70, 0x00, 0x06  # CFA = [rax]: not known to us
        nop
        .cfi_def_cfa r10, 0
        .cfi_same_value rbp
        nop
        .cfi_undefined rip
        nop
        .cfi_endproc
      .size crafted, . - crafted
      .skip 16
      .globl bare
      bare:
        ret
      """;

  @TempDir Path directory;

  private static UnwindTable compile(Path file) throws Exception {
    try (ElfImage image = ElfImage.ofFile(file)) {
      return UnwindCompiler.compile(image);
    }
  }

  private static long address(Path file, String symbol) throws Exception {
    try (ElfImage image = ElfImage.ofFile(file)) {
      return ElfSymbols.find(image, symbol).orElseThrow().value();
    }
  }

  private static UnwindRule rule(int cfa, int cfaOffset, int rbp, int rbpOffset, int raOffset) {
    return new UnwindRule(cfa, cfaOffset, rbp, rbpOffset, raOffset);
  }

  @Test
  void numbersAreThoseOfTheHeader() throws Exception {
    Map<String, Integer> header = new TreeMap<>();
    Matcher line =
        Pattern.compile("JEBPF_((?:CFA|RBP)_\\w+) =\\s+(\\d+)")
            .matcher(Files.readString(Path.of("../bpf/src/main/c/jebpf_types.h")));
    while (line.find()) {
      header.put(line.group(1), Integer.valueOf(line.group(2)));
    }
    Map<String, Integer> ours = new TreeMap<>();
    for (Field field : UnwindRule.class.getFields()) {
      if (field.getType() == int.class) {
        ours.put(field.getName(), field.getInt(null));
      }
    }
    assertEquals(header, ours);
  }

  @Test
  void everyForm() throws Exception {
    assumeTrue(System.getProperty("os.arch").equals("amd64"), "x86-64 only");
    Path file = Compiled.library(directory, "crafted.s", CRAFTED, "-nostdlib");
    UnwindTable table = compile(file);
    long start = address(file, "crafted");
    UnwindRule[] expected = {
      rule(UnwindRule.CFA_RSP, 8, UnwindRule.RBP_SAME, 0, -8),
      rule(UnwindRule.CFA_DEREF_RBP, -8, UnwindRule.RBP_DEREF_RBP, 0, -8),
      rule(UnwindRule.CFA_RSP, 8, UnwindRule.RBP_SAME, 0, -8),
      rule(UnwindRule.CFA_RBP, 16, UnwindRule.RBP_CFA, -16, -8),
      rule(UnwindRule.CFA_RSP, 8, UnwindRule.RBP_SAME, 0, -8),
      rule(UnwindRule.CFA_SIGNAL, 160, UnwindRule.RBP_CFA, 120, 168),
      rule(UnwindRule.CFA_RSP, 16, UnwindRule.RBP_SAME, 0, -8),
      rule(UnwindRule.CFA_RSP, 16, UnwindRule.RBP_UNKNOWN, 0, -8),
      rule(UnwindRule.CFA_DEREF_RSP, 24, UnwindRule.RBP_SAME, 0, -8),
      rule(UnwindRule.CFA_RAX, 8, UnwindRule.RBP_SAME, 0, -8),
      UnwindRule.NONE,
      rule(UnwindRule.CFA_R10, 0, UnwindRule.RBP_SAME, 0, -8),
      UnwindRule.ROOT,
      UnwindRule.NONE,
    };
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], table.at(start + i), "at byte " + i);
    }
    assertEquals(UnwindRule.NONE, table.at(address(file, "bare")));
    assertEquals(UnwindRule.NONE, table.at(start - 1));
  }

  @Test
  void withoutHeaderTheRecordsAreWalked() throws Exception {
    String source =
        """
        int f(int x) { return x + 1; }
        int h(char *);
        int g(int n) { char a[n]; return h(a) + f(n); }
        """;
    Path with = Compiled.library(directory, "with.c", source);
    Path without = Compiled.library(directory, "without.c", source, "-Wl,--no-eh-frame-hdr");
    UnwindTable expected = compile(with);
    UnwindTable walked = compile(without);
    assertTrue(expected.functions() >= 2);
    long shift = address(without, "f") - address(with, "f");
    for (long at = address(with, "f"); at < address(with, "g") + 16; at++) {
      assertEquals(expected.at(at), walked.at(at + shift), () -> "shifted by " + shift);
    }
  }

  @Test
  void linkageTablesWithoutDescriptionGetTheRuleAfterACall() throws Exception {
    Path file =
        Compiled.library(
            directory,
            "calls.s",
            """
            .text
            .globl calls
            calls:
              .cfi_startproc
              call elsewhere@plt
              ret
              .cfi_endproc
            """,
            "-nostdlib",
            "-Wl,--no-ld-generated-unwind-info");
    try (ElfImage image = ElfImage.ofFile(file)) {
      long plt = image.section(".plt").orElseThrow().address();
      assertEquals(UnwindRule.CALLED, UnwindCompiler.compile(image).at(plt + 16));
    }
  }

  @Test
  void codeAbove4GibIsLeftOutAndCounted() throws Exception {
    TestTools.need("gcc");
    Path source = directory.resolve("far.c");
    Files.writeString(source, "void _start(void) { for (;;) { } }");
    Path file = directory.resolve("far");
    Compiled.run(
        "gcc",
        "-nostdlib",
        "-static",
        "-mcmodel=large",
        "-Wl,-Ttext-segment=0x500000000",
        "-o",
        file.toString(),
        source.toString());
    UnwindTable table = compile(file);
    assertEquals(0, table.rows());
    assertEquals(1, table.skipped());
  }

  @Test
  void libjvmCompilesFastAndSmall() throws Exception {
    Path file = TestTools.libjvm();
    long best = Long.MAX_VALUE;
    for (int i = 0; i < 5; i++) {
      long start = System.nanoTime();
      UnwindTable table = compile(file);
      best = Math.min(best, System.nanoTime() - start);
      assertTrue(table.functions() > 30_000);
    }
    System.err.printf("libjvm's unwind table compiles in %d ms%n", best / 1_000_000);
    assertTrue(best < 1_000_000_000L, "took " + best + " ns");
  }
}
