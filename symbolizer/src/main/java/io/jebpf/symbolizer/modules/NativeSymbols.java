package io.jebpf.symbolizer.modules;

import io.jebpf.symbolizer.IdentityCache;
import io.jebpf.symbolizer.demangle.Demangler;
import io.jebpf.symbolizer.elf.CodeSymbols;
import io.jebpf.symbolizer.elf.ElfException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Optional;

/**
 * Names native code addresses. Symbol tables are read when an object is first asked for and kept up
 * to a limit; the least recently used goes first. No file stays open. Owner: one thread.
 */
public final class NativeSymbols {
  /** libjvm's takes 0.8 MB, libc's 40 KB. */
  static final long TABLE_BYTES_MAX = 3 << 20;

  static final int TABLES_MAX = 256;

  /**
   * Functions whose names are kept: those a profile of a JVM shows are some hundred, twice this
   * fit.
   */
  static final int FUNCTIONS_MAX = 1024;

  /** Stands for the file of code that another JIT made. */
  private static final String JITTED = "[jit]";

  private final ModuleTable modules;
  private final PerfMap jits;
  private final LinkedHashMap<Integer, CodeSymbols> tables = new LinkedHashMap<>(16, 0.75f, true);
  private final IdentityCache<String> names = new IdentityCache<>(FUNCTIONS_MAX);
  private final HiddenFunctions hidden;
  private long tableBytes;

  public NativeSymbols(ModuleTable modules) {
    this(modules, PerfMap.NONE);
  }

  /** {@code jits}: names of code outside of files. */
  public NativeSymbols(ModuleTable modules, PerfMap jits) {
    this.modules = modules;
    this.jits = jits;
    this.hidden = new HiddenFunctions(modules, modules.memory());
  }

  /**
   * Names the code at an address.
   *
   * @param moduleNumber as the kernel side recorded it; 0 when it knew none, since the object was
   *     loaded a moment before: then the present mappings decide
   * @param pc run-time address
   * @param exact false for a return address, which belongs to the call before it: the byte before
   *     is looked up, since a call may be the last instruction of its function
   */
  public Symbol resolve(int moduleNumber, long pc, boolean exact) {
    long address = exact ? pc : pc - 1;
    Optional<Module> module =
        moduleNumber == 0 ? modules.atAfterLook(address) : modules.byNumber(moduleNumber);
    if (module.isEmpty()) {
      String jitted = moduleNumber == 0 ? jits.nameAt(address) : "";
      if (!jitted.isEmpty()) {
        return new Symbol.Known(jitted, JITTED, 0);
      }
      String reason =
          moduleNumber == 0 ? "no object is mapped there" : "object was unloaded long ago";
      return new Symbol.Unknown("", reason);
    }
    return lookUp(module.get(), address - module.get().bias());
  }

  private Symbol lookUp(Module module, long virtualAddress) {
    CodeSymbols table = tables.get(module.number());
    if (table == null) {
      try {
        table = CodeSymbols.read(module.open());
      } catch (ElfException e) {
        return new Symbol.Unknown(module.path(), e.getMessage());
      }
      keep(module.number(), table);
    }
    Optional<CodeSymbols.Place> place = table.find(virtualAddress);
    if (place.isEmpty()) {
      return withoutSymbol(module, virtualAddress);
    }
    long start = place.get().start();
    String name = names.get(module.number(), start, "");
    if (name.isEmpty()) {
      name = Demangler.functionName(table.name(place.get()));
      if (name.isEmpty()) {
        // Deleted or replaced since: another way to it may be left next time.
        tables.remove(module.number());
        tableBytes -= table.heapBytes();
        return new Symbol.Unknown(module.path(), "its file cannot be read any more");
      }
      names.put(module.number(), start, name);
    }
    return new Symbol.Known(name, module.path(), virtualAddress - start);
  }

  private Symbol withoutSymbol(Module module, long virtualAddress) {
    Optional<HiddenFunctions.Hidden> found = hidden.find(module, virtualAddress);
    if (found.isEmpty()) {
      return new Symbol.Unknown(module.path(), "no symbol covers the address");
    }
    long start = found.get().start();
    return found.get().name().isEmpty()
        ? new Symbol.Unknown(module.path(), module.fileName() + "+0x" + Long.toHexString(start))
        : new Symbol.Known(found.get().name(), module.path(), virtualAddress - start);
  }

  private void keep(int number, CodeSymbols table) {
    tables.put(number, table);
    tableBytes += table.heapBytes();
    Iterator<CodeSymbols> eldest = tables.values().iterator();
    while ((tableBytes > TABLE_BYTES_MAX || tables.size() > TABLES_MAX) && tables.size() > 1) {
      tableBytes -= eldest.next().heapBytes();
      eldest.remove();
    }
  }

  /** Heap the symbol tables take, in bytes. */
  public long heapBytes() {
    return tableBytes;
  }
}
