package io.jebpf.symbolizer.hotspot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.symbolizer.modules.ModuleTable;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LibjvmModuleTest {
  private final long self = ProcessHandle.current().pid();

  @Test
  void agreesWithAnIndependentReading() throws Exception {
    try (ProcMemory memory = new ProcMemory(self)) {
      ModuleTable modules = new ModuleTable(Path.of("/proc/self"), memory);
      modules.refresh();
      LibjvmModule module = LibjvmModule.read(modules.byFileName("libjvm.so").orElseThrow());
      TestLibjvm other = new TestLibjvm(self, true);
      int found = 0;
      for (String name : LibjvmNames.all()) {
        assertEquals(other.address(name), module.address(name), name);
        assertEquals(other.tlsOffset(name), module.tlsOffset(name), name);
        found += module.address(name).isPresent() ? 1 : 0;
      }
      assertTrue(found > 15, found + " symbols found");
      assertEquals(other.readOnlyStart(), module.readOnlyStart());
      assertEquals(other.readOnlyEnd(), module.readOnlyEnd());
      TargetMemory target = new TargetMemory(memory);
      assertEquals(Tls.find(target, other), Tls.find(target, module));
      assertTrue(Tls.find(target, module).moduleId() > 0);
    }
  }

  /** {@link LibjvmModule} reads a fixed list of symbols; nothing may ask for another one. */
  @Test
  void everySymbolAskedForIsInTheList() throws Exception {
    Set<String> asked = new HashSet<>();
    TestLibjvm libjvm = new TestLibjvm(self, true);
    LibjvmImage recording =
        new LibjvmImage() {
          @Override
          public OptionalLong address(String symbol) {
            asked.add(symbol);
            return libjvm.address(symbol);
          }

          @Override
          public long bytes(String symbol) {
            asked.add(symbol);
            return libjvm.bytes(symbol);
          }

          @Override
          public OptionalLong tlsOffset(String symbol) {
            asked.add(symbol);
            return libjvm.tlsOffset(symbol);
          }

          @Override
          public OptionalLong tlsModuleIdSlot() {
            return libjvm.tlsModuleIdSlot();
          }

          @Override
          public long readOnlyStart() {
            return libjvm.readOnlyStart();
          }

          @Override
          public long readOnlyEnd() {
            return libjvm.readOnlyEnd();
          }
        };
    try (ProcMemory memory = new ProcMemory(self)) {
      HotspotVm vm = Opened.vm(memory, recording);
      Knobs knobs = Knobs.of(vm);
      vm.frames().atPc(knobs.at("call_stub_return"));
      JavaThreads threads = vm.threads();
      assertTrue(threads.each((tid, thread) -> threads.name(thread)));
    }
    asked.removeAll(LibjvmNames.all());
    assertEquals(Set.of(), asked);
  }
}
