package io.jebpf.symbolizer.modules;

import io.jebpf.symbolizer.ProcessMemory;
import io.jebpf.symbolizer.elf.ElfException;
import io.jebpf.symbolizer.elf.ElfFunctions;
import io.jebpf.symbolizer.elf.ElfImage;
import io.jebpf.symbolizer.elf.ElfImports;
import io.jebpf.symbolizer.elf.ElfImports.Import;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Names for functions that have no symbol, from evidence and never from neighbourhood.
 * Distributions strip libc of its local symbols, among them the first two functions of every thread
 * ({@code clone3}, {@code start_thread}) and the variants of memcpy and its like that are chosen at
 * start.
 *
 * <ul>
 *   <li>Where other objects import a symbol, and the dynamic linker bound it to this function's
 *       start, that symbol is a name of it.
 *   <li>A function of libc that makes the system call clone3 is {@code clone3}, one that makes
 *       futex calls is shown as {@code futex}; the function whose address libc's thread creation
 *       hands down to clone3 is {@code start_thread}.
 * </ul>
 *
 * Other functions are told apart by their start ({@code libc.so.6+0x85520}). Owner: one thread.
 */
final class HiddenFunctions {
  private static final int IMPORTED_MAX = 16_384;
  private static final int MODULES_MAX = 256;

  private final ModuleTable modules;
  private final ProcessMemory memory;
  private final Map<Integer, Long> threadStarts = new HashMap<>();
  private Map<Long, String> imported = Map.of();
  private List<ExecMapping> importedFrom = List.of();

  HiddenFunctions(ModuleTable modules, ProcessMemory memory) {
    this.modules = modules;
    this.memory = memory;
  }

  /** {@code name} is empty when only the function's start is known. */
  record Hidden(long start, String name) {}

  /** Empty when no function is known to cover the address. */
  Optional<Hidden> find(Module module, long virtualAddress) {
    try (ElfImage image = module.open()) {
      Optional<ElfFunctions.Function> function = ElfFunctions.at(image, virtualAddress);
      if (function.isEmpty()) {
        return Optional.empty();
      }
      long start = function.get().start();
      String name = imports().getOrDefault(module.bias() + start, "");
      if (name.isEmpty() && module.fileName().startsWith("libc.so")) {
        name = byBehaviour(module, image, function.get());
      }
      return Optional.of(new Hidden(start, name));
    } catch (ElfException e) {
      return Optional.empty();
    }
  }

  private String byBehaviour(Module module, ElfImage image, ElfFunctions.Function function) {
    if (GlibcThreads.isClone3(image, function)) {
      return "clone3";
    }
    if (threadStarts.size() > MODULES_MAX) {
      threadStarts.clear();
    }
    long start =
        threadStarts.computeIfAbsent(module.number(), number -> GlibcThreads.startThread(image));
    if (start == function.start()) {
      return "start_thread";
    }
    return GlibcThreads.isFutexCall(image, function) ? "futex" : "";
  }

  /** Run-time addresses to which imports are bound. Read again when other objects are loaded. */
  private Map<Long, String> imports() {
    if (importedFrom != modules.mappings()) {
      importedFrom = modules.mappings();
      imported = new HashMap<>();
      int last = 0;
      for (ExecMapping mapping : importedFrom) {
        if (mapping.module().number() != last && imported.size() < IMPORTED_MAX) {
          last = mapping.module().number();
          addImports(mapping.module());
        }
      }
    }
    return imported;
  }

  private void addImports(Module module) {
    byte[] word = new byte[8];
    ByteBuffer value = ByteBuffer.wrap(word).order(ByteOrder.LITTLE_ENDIAN);
    try (ElfImage image = module.open()) {
      for (Import slot : ElfImports.of(image)) {
        if (memory.read(module.bias() + slot.slot(), word, 0, word.length)) {
          long target = value.getLong(0);
          // Before the first call a lazily bound slot points back into its own object.
          if (modules.at(target).filter(other -> other.number() != module.number()).isPresent()) {
            imported.putIfAbsent(target, slot.symbol());
          }
        }
      }
    } catch (ElfException e) {
      return; // it has no names to give
    }
  }
}
