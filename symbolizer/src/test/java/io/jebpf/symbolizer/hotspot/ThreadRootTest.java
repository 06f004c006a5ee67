package io.jebpf.symbolizer.hotspot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.symbolizer.modules.Module;
import io.jebpf.symbolizer.modules.ModuleTable;
import io.jebpf.symbolizer.modules.NativeSymbols;
import io.jebpf.symbolizer.modules.Symbol;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * The two functions of libc below every thread have no symbols in a stripped libc. The truth here
 * is the stack itself: its highest return addresses into libc are in clone3 and in start_thread.
 */
class ThreadRootTest {
  private static final int WORDS = 2048;

  @Test
  void rootsOfThreadsHaveNames() throws Exception {
    long self = ProcessHandle.current().pid();
    try (ProcMemory processMemory = new ProcMemory(self)) {
      TestLibjvm libjvm = new TestLibjvm(self, true);
      TargetMemory memory = new TargetMemory(processMemory);
      VmStructs structs = VmStructs.read(memory, libjvm).orElseThrow();
      Slot stackBase = structs.field("JavaThread::_stack_base");
      ModuleTable modules = new ModuleTable(Path.of("/proc/self"), processMemory);
      modules.refresh();
      Module libc = modules.byFileName("libc.so.6").orElseThrow();
      Assumptions.assumeTrue(libc.addressOf("clone3").isEmpty(), "this libc has its symbols");
      NativeSymbols symbols = new NativeSymbols(modules);
      List<String> seen = new ArrayList<>();
      JavaThreads threads = Opened.vm(processMemory, libjvm).threads();
      threads.each(
          (tid, thread) -> {
            long base = memory.value(thread, stackBase);
            List<String> names = highestTwo(memory, base, libc, modules, symbols);
            if (Files.exists(Path.of("/proc/self/task/" + tid)) && names.size() == 2) {
              seen.add(String.join(" ", names));
            }
          });
      assertTrue(seen.size() > 5, "threads: " + seen);
      seen.forEach(names -> assertEquals("clone3 start_thread", names));
    }
  }

  private static List<String> highestTwo(
      TargetMemory memory, long base, Module libc, ModuleTable modules, NativeSymbols symbols) {
    List<String> names = new ArrayList<>();
    memory.begin();
    for (int i = 1; i < WORDS && names.size() < 2; i++) {
      long word = memory.i64(base - 8L * i);
      boolean inLibc = modules.at(word).filter(module -> module.equals(libc)).isPresent();
      if (memory.ok() && inLibc && followsCall(memory, word)) {
        names.add(
            switch (symbols.resolve(libc.number(), word, false)) {
              case Symbol.Known known -> known.function();
              case Symbol.Unknown unknown -> unknown.reason();
            });
      }
    }
    return names;
  }

  /** An indirect call through a register, with or without prefix, or a direct one. */
  private static boolean followsCall(TargetMemory memory, long returnAddress) {
    byte[] before = new byte[7];
    if (!memory.bytes(returnAddress - 7, before, 0, before.length)) {
      return false;
    }
    boolean register = before[5] == (byte) 0xff && (before[6] & 0x38) == 0x10;
    boolean memoryOperand = false;
    for (int i = 0; i < 5; i++) {
      memoryOperand |= before[i] == (byte) 0xff && (before[i + 1] & 0x38) == 0x10;
    }
    return register || memoryOperand || before[2] == (byte) 0xe8;
  }

  /** The truth here is the kernel's: the pc of a thread that waits in the futex system call. */
  @Test
  void waitingThreadsAreInFutex() throws Exception {
    long self = ProcessHandle.current().pid();
    try (ProcMemory processMemory = new ProcMemory(self)) {
      ModuleTable modules = new ModuleTable(Path.of("/proc/self"), processMemory);
      modules.refresh();
      Module libc = modules.byFileName("libc.so.6").orElseThrow();
      NativeSymbols symbols = new NativeSymbols(modules);
      int waiting = 0;
      int named = 0;
      try (var tasks = Files.list(Path.of("/proc/self/task"))) {
        for (Path task : tasks.toList()) {
          String[] words = systemCall(task);
          if (words.length == 9 && words[0].equals("202")) {
            long pc = Long.parseUnsignedLong(words[8].substring(2), 16);
            if (modules.at(pc).filter(module -> module.equals(libc)).isPresent()) {
              waiting++;
              named += symbols.resolve(libc.number(), pc, true) instanceof Symbol.Known ? 1 : 0;
            }
          }
        }
      }
      Assumptions.assumeTrue(waiting > 0, "no thread is seen waiting in /proc/self/task");
      assertEquals(waiting, named);
    }
  }

  private static String[] systemCall(Path task) {
    try {
      return Files.readString(task.resolve("syscall")).strip().split(" ");
    } catch (java.io.IOException endedOrNotAllowed) {
      return new String[0];
    }
  }

  @Test
  void boundImportsNameTheVariantThatWasChosen() throws Exception {
    long self = ProcessHandle.current().pid();
    try (ProcMemory processMemory = new ProcMemory(self)) {
      ModuleTable modules = new ModuleTable(Path.of("/proc/self"), processMemory);
      modules.refresh();
      Module libjvm = modules.byFileName("libjvm.so").orElseThrow();
      Module libc = modules.byFileName("libc.so.6").orElseThrow();
      NativeSymbols symbols = new NativeSymbols(modules);
      byte[] word = new byte[8];
      int checked = 0;
      try (var image = libjvm.open()) {
        for (var slot : io.jebpf.symbolizer.elf.ElfImports.of(image)) {
          if (List.of("memcpy", "memset", "strlen", "strcmp").contains(slot.symbol())) {
            assertTrue(processMemory.read(libjvm.bias() + slot.slot(), word, 0, 8));
            long bound = Bytes.i64(word, 0);
            if (symbols.resolve(libc.number(), bound, true) instanceof Symbol.Known known) {
              checked++;
              boolean copies = known.function().equals("memmove") && slot.symbol().equals("memcpy");
              assertTrue(copies || known.function().equals(slot.symbol()), known.function());
            }
          }
        }
      }
      assertTrue(checked >= 3, checked + " imports checked");
    }
  }
}
