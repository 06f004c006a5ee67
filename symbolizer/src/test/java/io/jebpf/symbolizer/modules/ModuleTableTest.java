package io.jebpf.symbolizer.modules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.symbolizer.SelfMemory;
import io.jebpf.symbolizer.elf.ElfImage;
import io.jebpf.symbolizer.elf.ElfSymbols;
import io.jebpf.symbolizer.elf.ElfTls;
import io.jebpf.symbolizer.unwind.UnwindCompiler;
import io.jebpf.symbolizer.unwind.UnwindRule;
import io.jebpf.symbolizer.unwind.UnwindTable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ModuleTableTest {
  private final SelfMemory memory = new SelfMemory();
  private final ModuleTable table = new ModuleTable(Path.of("/proc/self"), memory);

  @BeforeEach
  void refresh() throws Exception {
    assertTrue(table.refresh());
  }

  @Test
  void secondRefreshFindsNothingNew() throws Exception {
    table.refresh(); // the test's own class loading may map a library
    assertFalse(table.refresh());
  }

  @Test
  void findsLibjvmAndItsTables() throws Exception {
    Module jvm = table.byFileName("libjvm.so").orElseThrow();
    assertEquals(jvm, table.byNumber(jvm.number()).orElseThrow());
    assertTrue(jvm.keepsFramePointers());
    long offsetSymbol = jvm.addressOf("gHotSpotVMTypeEntryArrayStride").orElseThrow();
    assertEquals(40, word(offsetSymbol)); // facts 1.2
  }

  @Test
  void findsTheTlsSlotOfLibjvm() throws Exception {
    Module jvm = table.byFileName("libjvm.so").orElseThrow();
    try (ElfImage image = jvm.open()) {
      assertEquals(0x50, ElfTls.blockBytes(image)); // facts 4.1
      long number = word(jvm.bias() + ElfTls.moduleSlot(image).orElseThrow());
      assertTrue(number > 0 && number < 100, () -> "TLS module number " + number);
    }
  }

  @Test
  void memoryImageAgreesWithTheFile() throws Exception {
    Module jvm = table.byFileName("libjvm.so").orElseThrow();
    try (ElfImage file = jvm.open();
        ElfImage loaded = ElfImage.ofMemory("memory", memory, jvm.bias() + file.lowestAddress())) {
      assertEquals(Module.hex(file.buildId()), Module.hex(loaded.buildId()));
      assertEquals(
          ElfSymbols.find(file, "JNI_CreateJavaVM").orElseThrow(),
          ElfSymbols.find(loaded, "JNI_CreateJavaVM").orElseThrow());
      assertEquals(ElfTls.moduleSlot(file), ElfTls.moduleSlot(loaded));
    }
  }

  @Test
  void readsTheVdsoFromMemory() throws Exception {
    Module vdso = table.byFileName("[vdso]").orElseThrow();
    NativeSymbols symbols = new NativeSymbols(table);
    long address = vdso.addressOf("__vdso_clock_gettime").orElseThrow();
    Symbol symbol = symbols.resolve(vdso.number(), address + 1, true);
    assertEquals(new Symbol.Known("clock_gettime", "[vdso]", 1), symbol);
  }

  @Test
  void unwindsTheVdsoFromMemory() throws Exception {
    Module vdso = table.byFileName("[vdso]").orElseThrow();
    try (ElfImage image = vdso.open()) {
      long start = ElfSymbols.find(image, "__vdso_clock_gettime").orElseThrow().value();
      UnwindTable unwind = UnwindCompiler.compile(image);
      assertTrue(unwind.functions() > 3);
      UnwindRule called = new UnwindRule(UnwindRule.CFA_RSP, 8, UnwindRule.RBP_SAME, 0, -8);
      assertEquals(called, unwind.at(start));
    }
  }

  @Test
  void namesReturnAddressAfterTheLastInstructionOfItsFunction() throws Exception {
    Module jvm = table.byFileName("libjvm.so").orElseThrow();
    NativeSymbols symbols = new NativeSymbols(table);
    long start = jvm.addressOf("JNI_CreateJavaVM").orElseThrow();
    try (ElfImage image = jvm.open()) {
      long end = start + ElfSymbols.find(image, "JNI_CreateJavaVM").orElseThrow().bytes();
      Symbol.Known known =
          assertInstanceOf(Symbol.Known.class, symbols.resolve(jvm.number(), end, false));
      assertEquals("JNI_CreateJavaVM", known.function());
      assertEquals(end - start - 1, known.offset());
    }
  }

  @Test
  void saysWhyAnAddressHasNoName() {
    NativeSymbols symbols = new NativeSymbols(table);
    assertEquals(new Symbol.Unknown("", "no object is mapped there"), symbols.resolve(0, 16, true));
  }

  private long word(long address) {
    byte[] bytes = new byte[8];
    assertTrue(memory.read(address, bytes, 0, 8));
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }
}
