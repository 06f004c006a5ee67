package io.jebpf.symbolizer.modules;

import io.jebpf.symbolizer.elf.CodeSymbols;
import io.jebpf.symbolizer.demangle.Demangler;
import io.jebpf.symbolizer.elf.ElfException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Optional;

/**
 * Names native code addresses. Symbol tables are read when an object is first asked for and kept up
 * to {@value #TABLE_BYTES_MAX} bytes; the least recently used goes first. Owner: one thread.
 */
public final class NativeSymbols {
  /** libjvm's takes 0.7 MB, libc's 40 KB. */
  static final long TABLE_BYTES_MAX = 3 << 20;

  static final int ADDRESSES_MAX = 8192;

  private final ModuleTable modules;
  private final LinkedHashMap<Integer, CodeSymbols> tables = new LinkedHashMap<>(16, 0.75f, true);
  private final LinkedHashMap<Long, Symbol> addresses = new LinkedHashMap<>(256, 0.75f, true);
  private long tableBytes;

  public NativeSymbols(ModuleTable modules) {
    this.modules = modules;
  }

  /**
   * Names the code at an address.
   *
   * @param moduleNumber as the kernel side recorded it; 0 when it knew none: then the present
   *     mappings decide
   * @param pc run-time address
   * @param exact false for a return address, which belongs to the call before it: the byte before
   *     is looked up, since a call may be the last instruction of its function
   */
  public Symbol resolve(int moduleNumber, long pc, boolean exact) {
    Optional<Module> module =
        moduleNumber == 0 ? modules.at(exact ? pc : pc - 1) : modules.byNumber(moduleNumber);
    if (module.isEmpty()) {
      String reason =
          moduleNumber == 0 ? "no object is mapped there" : "object was unloaded long ago";
      return new Symbol.Unknown("", reason);
    }
    Module found = module.get();
    long address = pc - found.bias() - (exact ? 0 : 1);
    long key = (long) found.number() << 40 ^ address;
    Symbol cached = addresses.get(key);
    if (cached == null) {
      cached = lookUp(found, address);
      addresses.put(key, cached);
      removeEldest(addresses, ADDRESSES_MAX);
    }
    return cached;
  }

  private Symbol lookUp(Module module, long address) {
    CodeSymbols table = tables.get(module.number());
    if (table == null) {
      try {
        table = CodeSymbols.read(module.open());
      } catch (ElfException e) {
        return new Symbol.Unknown(module.path(), e.getMessage());
      }
      keep(module.number(), table);
    }
    Optional<CodeSymbols.Match> match = table.find(address);
    return match.isPresent()
        ? new Symbol.Known(
            Demangler.demangle(match.get().name()), module.path(), address - match.get().start())
        : new Symbol.Unknown(module.path(), "no symbol covers the address");
  }

  private void keep(int number, CodeSymbols table) {
    tables.put(number, table);
    tableBytes += table.heapBytes();
    Iterator<CodeSymbols> eldest = tables.values().iterator();
    while (tableBytes > TABLE_BYTES_MAX && tables.size() > 1) {
      CodeSymbols gone = eldest.next();
      eldest.remove();
      gone.close();
      tableBytes -= gone.heapBytes();
    }
  }

  private static <K, V> void removeEldest(LinkedHashMap<K, V> map, int sizeMax) {
    if (map.size() > sizeMax) {
      Iterator<K> eldest = map.keySet().iterator();
      eldest.next();
      eldest.remove();
    }
  }
}
