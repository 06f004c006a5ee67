package io.jebpf.symbolizer.modules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.symbolizer.Compiled;
import io.jebpf.symbolizer.SelfMemory;
import io.jebpf.symbolizer.TestTools;
import io.jebpf.symbolizer.elf.ElfImage;
import io.jebpf.symbolizer.unwind.UnwindCompiler;
import io.jebpf.symbolizer.unwind.UnwindTable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Libraries that this JVM loads while the table is watching. */
class LoadedLibraryTest {
  private static final String SOURCE =
      """
      static __attribute__((noinline)) int NAME_local(int x) { __asm__ volatile(""); return x * 3; }
      int NAME_exported(int x) { return NAME_local(x) + 1; }
      """;

  @TempDir Path directory;

  private final ModuleTable table = new ModuleTable(Path.of("/proc/self"), new SelfMemory());

  private Path load(String name) throws Exception {
    Path file =
        Compiled.library(
            directory, name + ".c", SOURCE.replace("NAME", name), "-Wl,--build-id=sha1");
    System.load(file.toString());
    return file;
  }

  private static long offset(Path file, String symbol) throws Exception {
    TestTools.need("nm");
    long[] found = new long[1];
    TestTools.lines(
        line -> {
          if (line.endsWith(" " + symbol)) {
            found[0] = Long.parseLong(line.substring(0, 16), 16);
          }
        },
        "nm",
        file.toString());
    assertTrue(found[0] != 0, symbol);
    return found[0];
  }

  @Test
  void libraryLoadedLaterGetsANewNumber() throws Exception {
    table.refresh();
    int last = table.mappings().stream().mapToInt(m -> m.module().number()).max().orElseThrow();
    Path file = load("later");
    assertTrue(table.refresh());
    Module module = table.byFileName("liblater.so").orElseThrow();
    assertTrue(module.number() > last);
    long address = module.bias() + offset(file, "later_local");
    assertEquals(
        new Symbol.Known("later_local", file.toString(), 1),
        new NativeSymbols(table).resolve(module.number(), address + 1, true));
    assertEquals(module, table.at(address).orElseThrow());
  }

  @Test
  void addressInALibraryLoadedSinceTheLastLookIsNamed() throws Exception {
    table.refresh();
    Path file = load("fresh");
    long start = 0;
    for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
      if (line.contains("libfresh.so") && start == 0) {
        start = Long.parseLong(line.substring(0, line.indexOf('-')), 16);
      }
    }
    Thread.sleep(100); // longer than the pause between two looks
    assertEquals(
        new Symbol.Known("fresh_exported", file.toString(), 0),
        new NativeSymbols(table).resolve(0, start + offset(file, "fresh_exported"), true));
    assertTrue(table.refresh(), "the change is still news to the owner");
    assertFalse(table.refresh());
  }

  @Test
  void deletedLibraryIsStillNamedAndUnwound() throws Exception {
    Path file = load("deleted");
    long exported = offset(file, "deleted_exported");
    UnwindTable expected;
    try (ElfImage image = ElfImage.ofFile(file)) {
      expected = UnwindCompiler.compile(image);
    }
    Files.delete(file);
    table.refresh();
    Module module = table.byFileName("libdeleted.so").orElseThrow();
    assertEquals(file.toString(), module.path());
    assertEquals(
        new Symbol.Known("deleted_exported", file.toString(), 2),
        new NativeSymbols(table).resolve(module.number(), module.bias() + exported + 2, true));
    try (ElfImage image = module.open()) {
      UnwindTable unwound = UnwindCompiler.compile(image);
      for (long at = exported; at < exported + 32; at++) {
        assertEquals(expected.at(at), unwound.at(at));
      }
    }
  }

  @Test
  void libraryDeletedAfterItWasSeenIsStillOpened() throws Exception {
    Path file = load("vanishing");
    table.refresh();
    int number = table.byFileName("libvanishing.so").orElseThrow().number();
    long exported = offset(file, "vanishing_exported");
    Files.delete(file);
    Module module = table.byNumber(number).orElseThrow();
    assertEquals(
        new Symbol.Known("vanishing_exported", file.toString(), 0),
        new NativeSymbols(table).resolve(number, module.bias() + exported, true));
  }

  @Test
  void libraryDeletedBetweenTwoNamesIsReadInAnotherWay() throws Exception {
    Path file = load("leaving");
    table.refresh();
    Module module = table.byFileName("libleaving.so").orElseThrow();
    NativeSymbols symbols = new NativeSymbols(table);
    long local = module.bias() + offset(file, "leaving_local");
    long exported = module.bias() + offset(file, "leaving_exported");
    assertEquals(
        new Symbol.Known("leaving_local", file.toString(), 0),
        symbols.resolve(module.number(), local, true));
    Files.delete(file);
    symbols.resolve(module.number(), exported, true); // may find out only now
    assertEquals(
        new Symbol.Known("leaving_exported", file.toString(), 0),
        symbols.resolve(module.number(), exported, true));
  }

  @Test
  void anotherFileInTheLibrarysPlaceIsNotTakenForIt() throws Exception {
    Path file = load("replaced");
    long exported = offset(file, "replaced_exported");
    Path other = Compiled.library(directory, "usurper.c", "int usurper(void) { return 1; }");
    Files.delete(file);
    Files.copy(other, file);
    table.refresh();
    Module module = table.byFileName("libreplaced.so").orElseThrow();
    assertEquals(
        new Symbol.Known("replaced_exported", file.toString(), 0),
        new NativeSymbols(table).resolve(module.number(), module.bias() + exported, true));
  }

  @Test
  void memoryImageAloneNamesAndUnwinds() throws Exception {
    Path file = load("inmemory");
    long exported = offset(file, "inmemory_exported");
    table.refresh();
    Module module = table.byFileName("libinmemory.so").orElseThrow();
    ElfImage loaded = ElfImage.ofMemory("memory", new SelfMemory(), module.bias());
    UnwindTable fromMemory = UnwindCompiler.compile(loaded);
    try (ElfImage image = ElfImage.ofFile(file)) {
      UnwindTable fromFile = UnwindCompiler.compile(image);
      assertEquals(fromFile.functions(), fromMemory.functions());
      for (long at = exported; at < exported + 32; at++) {
        assertEquals(fromFile.at(at), fromMemory.at(at));
      }
    }
  }

  @Test
  void noFileStaysOpen() throws Exception {
    load("closed");
    table.refresh();
    NativeSymbols symbols = new NativeSymbols(table);
    for (ExecMapping mapping : table.mappings()) {
      for (long address = mapping.start(); address < mapping.start() + 4096; address += 256) {
        symbols.resolve(mapping.module().number(), address, true);
      }
      mapping.module().open().close();
    }
    assertFalse(table.mappings().isEmpty());
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      List<String> libraries =
          open.map(LoadedLibraryTest::target).filter(f -> f.contains(".so")).toList();
      assertEquals(List.of(), libraries);
    }
    assertTrue(symbols.heapBytes() <= NativeSymbols.TABLE_BYTES_MAX);
  }

  private static String target(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (java.io.IOException e) {
      return "";
    }
  }
}
