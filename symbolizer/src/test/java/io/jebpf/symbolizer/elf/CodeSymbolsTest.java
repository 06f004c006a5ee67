package io.jebpf.symbolizer.elf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jebpf.symbolizer.Compiled;
import io.jebpf.symbolizer.TestTools;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CodeSymbolsTest {
  private static final String ASSEMBLY =
      """
      .text
      .globl sized
      .type sized, @function
      sized:
        nop
        nop
      label_inside:
        nop
        ret
      .size sized, . - sized
      .skip 12
      .globl unsized
      .type unsized, @function
      unsized:
        nop
        ret
      .globl other
      .type other, @function
      other:
      .globl __other
      .type __other, @function
      __other:
        ret
      .size other, . - other
      .size __other, . - __other
      .globl untyped
      untyped:
        nop
        nop
      """;

  @TempDir Path directory;

  private static String nameAt(CodeSymbols symbols, long address) {
    Optional<CodeSymbols.Place> place = symbols.find(address);
    return place.map(symbols::name).orElse("");
  }

  private static long address(Path file, String symbol) throws Exception {
    try (ElfImage image = ElfImage.ofFile(file)) {
      return ElfSymbols.find(image, symbol).orElseThrow().value();
    }
  }

  @Test
  void assemblyWithoutSizesReachesToTheNextSymbolInAFullTable() throws Exception {
    Path file = Compiled.library(directory, "plain.s", ASSEMBLY, "-nostdlib");
    CodeSymbols symbols = CodeSymbols.read(ElfImage.ofFile(file));
    long sized = address(file, "sized");
    assertEquals("sized", nameAt(symbols, sized));
    assertEquals("sized", nameAt(symbols, sized + 3), "a label does not end a sized function");
    assertEquals("", nameAt(symbols, sized + 4), "padding belongs to nobody");
    assertEquals("", nameAt(symbols, sized + 15));
    assertEquals("unsized", nameAt(symbols, sized + 16));
    assertEquals("unsized", nameAt(symbols, sized + 17));
    assertEquals("other", nameAt(symbols, sized + 18), "fewer underscores win");
    assertEquals("untyped", nameAt(symbols, sized + 20));
    assertEquals("", nameAt(symbols, sized - 1));
  }

  @Test
  void strippedLibraryNamesOnlyWhatIsCovered() throws Exception {
    Path file = Compiled.library(directory, "stripped.s", ASSEMBLY, "-nostdlib", "-s");
    CodeSymbols symbols = CodeSymbols.read(ElfImage.ofFile(file));
    long sized = address(file, "sized");
    assertEquals("sized", nameAt(symbols, sized + 3));
    assertEquals("", nameAt(symbols, sized + 4));
    assertEquals("unsized", nameAt(symbols, sized + 16));
    assertEquals("", nameAt(symbols, sized + 17), "exported symbols do not reach further");
  }

  @Test
  void compressedDebugDataNamesLocalFunctions() throws Exception {
    TestTools.need("objcopy");
    TestTools.need("xz");
    Path file =
        Compiled.library(
            directory,
            "debugdata.c",
            """
            static __attribute__((noinline)) int hidden(int x) { __asm__ volatile(""); return x * 3; }
            int shown(int x) { return hidden(x) + 1; }
            """);
    long hidden;
    try (ElfImage image = ElfImage.ofFile(file)) {
      hidden = ElfSymbols.find(image, "hidden").orElseThrow().value();
    }
    Path debug = directory.resolve("debug");
    Compiled.run("objcopy", "--only-keep-debug", file.toString(), debug.toString());
    Compiled.run("xz", debug.toString());
    Path packed = directory.resolve("packed.so");
    Compiled.run(
        "objcopy",
        "--strip-all",
        "--add-section",
        ".gnu_debugdata=" + debug + ".xz",
        file.toString(),
        packed.toString());
    try (ElfImage image = ElfImage.ofFile(packed)) {
      assertTrue(ElfSymbols.sectionTable(image, ElfSection.SYMTAB, 64).isEmpty());
    }
    CodeSymbols symbols = CodeSymbols.read(ElfImage.ofFile(packed));
    assertEquals("hidden", nameAt(symbols, hidden + 1));
    assertEquals("shown", nameAt(symbols, address(packed, "shown")));
  }

  @Test
  void replacedFileGivesNoNames() throws Exception {
    Path file = Compiled.library(directory, "first.s", ASSEMBLY, "-nostdlib");
    CodeSymbols symbols = CodeSymbols.read(ElfImage.ofFile(file));
    long sized = address(file, "sized");
    assertEquals("sized", nameAt(symbols, sized));
    Path other = Compiled.library(directory, "second.s", ASSEMBLY.replace("sized", "wrong"));
    Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
    assertEquals("", nameAt(symbols, sized));
  }

  /** nm's lines: value, size (perhaps), type, name. */
  private static List<String[]> nm(Path file, String... options) throws Exception {
    TestTools.need("nm");
    List<String> command = new ArrayList<>(List.of("nm", "--defined-only", "-S"));
    command.addAll(List.of(options));
    command.add(file.toString());
    List<String[]> result = new ArrayList<>();
    TestTools.lines(line -> result.add(line.split(" ")), command.toArray(String[]::new));
    return result;
  }

  @Test
  void namesEverySizedFunctionOfLibjvm() throws Exception {
    Path file = TestTools.libjvm();
    TreeMap<Long, Long> functions = new TreeMap<>();
    Map<Long, TreeSet<String>> names = new HashMap<>();
    for (String[] line : nm(file)) {
      if (line.length == 4 && "TtWwi".contains(line[2])) {
        long start = Long.parseLong(line[0], 16);
        functions.merge(start, Long.parseLong(line[1], 16), Math::max);
        names.computeIfAbsent(start, s -> new TreeSet<>()).add(line[3].split("@")[0]);
      }
    }
    assumeTrue(functions.size() > 10_000, "libjvm is stripped");
    CodeSymbols symbols = CodeSymbols.read(ElfImage.ofFile(file));
    int compared = 0;
    for (var function : functions.entrySet()) {
      CodeSymbols.Place place = symbols.find(function.getKey()).orElseThrow();
      assertEquals(function.getKey(), place.start());
      long last = function.getKey() + function.getValue() - 1;
      assertTrue(symbols.find(last).orElseThrow().start() >= function.getKey());
      if (compared++ % 32 == 0) {
        assertTrue(names.get(function.getKey()).contains(symbols.name(place)));
      }
    }
    System.err.printf(
        "%s: %d code symbols in %d bytes of heap%n", file, symbols.count(), symbols.heapBytes());
    assertTrue(symbols.heapBytes() < 1_000_000);
  }

  @Test
  void scanningATableFindsTheSame() throws Exception {
    Path file = TestTools.libjvm();
    try (ElfImage image = ElfImage.ofFile(file)) {
      Optional<ElfSymbols.Table> table = ElfSymbols.sectionTable(image, ElfSection.SYMTAB, 256);
      assumeTrue(table.isPresent(), "libjvm is stripped");
      SymbolScan scan = new SymbolScan(image, table.get());
      SymbolIndex index = SymbolTable.full(image).orElseThrow();
      long first = address(file, "JNI_CreateJavaVM");
      for (long at = first - 200_000; at < first + 200_000; at += 9973) {
        int scanned = scan.find(at);
        int indexed = index.find(at);
        assertEquals(indexed >= 0, scanned >= 0, Long.toHexString(at));
        if (indexed >= 0) {
          assertEquals(index.start(indexed), scan.start(scanned));
          assertEquals(index.bestName(indexed), scan.bestName(scanned));
        }
      }
    }
  }

  @Test
  void strippedLibcHasNoNeighboursNames() throws Exception {
    Path file = TestTools.library("libc.so");
    assumeTrue(Files.exists(file), "no glibc");
    TreeMap<Long, Long> ends = new TreeMap<>(); // of all sized functions by their start
    for (String[] line : nm(file, "-D")) {
      if (line.length == 4 && "TtWwi".contains(line[2])) {
        long start = Long.parseLong(line[0], 16);
        ends.merge(start, start + Long.parseLong(line[1], 16), Math::max);
      }
    }
    CodeSymbols symbols = CodeSymbols.read(ElfImage.ofFile(file));
    try (ElfImage image = ElfImage.ofFile(file)) {
      assumeTrue(
          ElfSymbols.sectionTable(image, ElfSection.SYMTAB, 64).isEmpty()
              && image.section(".gnu_debugdata").isEmpty(),
          "libc is not stripped");
    }
    int gaps = 0;
    long reached = 0;
    for (var function : ends.entrySet()) {
      if (reached != 0 && function.getKey() > reached) {
        assertEquals(Optional.empty(), symbols.find(reached));
        assertEquals(Optional.empty(), symbols.find(function.getKey() - 1));
        gaps++;
      }
      reached = Math.max(reached, function.getValue());
    }
    assertTrue(gaps > 100);
  }

  @Test
  void findsSymbolsByName() throws Exception {
    Path file = TestTools.libjvm();
    Map<String, TreeSet<Long>> expected = new HashMap<>();
    List<String[]> lines = nm(file);
    assumeTrue(lines.size() > 10_000, "libjvm is stripped");
    for (int i = 0; i < lines.size(); i += 97) {
      expected.put(lines.get(i)[lines.get(i).length - 1].split("@")[0], new TreeSet<>());
    }
    for (String[] line : lines) {
      String name = line[line.length - 1].split("@")[0];
      if (expected.containsKey(name)) {
        expected.get(name).add(Long.parseLong(line[0], 16));
      }
    }
    try (ElfImage image = ElfImage.ofFile(file)) {
      Map<String, ElfSymbol> found = ElfSymbols.find(image, expected.keySet());
      assertEquals(expected.keySet(), found.keySet());
      found.forEach(
          (name, symbol) -> assertTrue(expected.get(name).contains(symbol.value()), name));
      assertTrue(ElfSymbols.find(image, "no such symbol").isEmpty());
      ElfSymbol current = ElfSymbols.find(image, "_ZN6Thread12_thr_currentE").orElseThrow();
      assertTrue(current.isTls());
      assertEquals(0x20, current.value()); // facts 4.1
    }
  }
}
