package io.jebpf.symbolizer.kernel;

import io.jebpf.symbolizer.modules.Symbol;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Names kernel addresses by {@code /proc/kallsyms}, or by another source where that file hides its
 * addresses. It is read at the first address asked for, and again (not more often than once a
 * minute) when an address is in no symbol: a module or a BPF program may have been loaded since.
 * When the symbols cannot be read again, those known are kept. Answers are not kept here: the
 * caller has a cache. Owner: one thread.
 */
public final class KernelSymbols {
  /** What is shown as the file of the kernel's own functions, as perf does. */
  public static final String KERNEL = "[kernel.kallsyms]";

  private static final long RELOAD_NANOS = 60_000_000_000L;

  /** Symbols that mark the end of code. */
  private static final Set<String> ENDS = Set.of("_etext", "_einittext", "_end", "__init_end");

  private final Path kallsyms;
  private final Path pointerRestriction;
  private final Optional<KernelSymbolSource> other;
  private final LongSupplier nanoTime;
  private Optional<KernelSymbolTable> table = Optional.empty();
  private String unavailable = "";
  private boolean fromOther;
  private boolean loaded;
  private long loadedAt;

  /** By {@code /proc/kallsyms} alone. */
  public KernelSymbols() {
    this(Optional.empty());
  }

  /** {@code other} is asked where {@code /proc/kallsyms} hides its addresses. */
  public KernelSymbols(KernelSymbolSource other) {
    this(Optional.of(other));
  }

  private KernelSymbols(Optional<KernelSymbolSource> other) {
    this(
        Path.of("/proc/kallsyms"),
        Path.of("/proc/sys/kernel/kptr_restrict"),
        other,
        System::nanoTime);
  }

  KernelSymbols(
      Path kallsyms,
      Path pointerRestriction,
      Optional<KernelSymbolSource> other,
      LongSupplier nanoTime) {
    this.kallsyms = kallsyms;
    this.pointerRestriction = pointerRestriction;
    this.other = other;
    this.nanoTime = nanoTime;
  }

  /**
   * Names the kernel code at an address.
   *
   * @param exact false for a return address: the byte before it is looked up
   */
  public Symbol resolve(long address, boolean exact) {
    long looked = exact ? address : address - 1;
    if (!loaded) {
      load();
    }
    Symbol symbol = lookUp(looked);
    if (symbol instanceof Symbol.Unknown && nanoTime.getAsLong() - loadedAt > RELOAD_NANOS) {
      load();
      symbol = lookUp(looked);
    }
    return symbol;
  }

  /** Why kernel functions have no names; empty when they have, or nobody asked yet. */
  public Optional<String> unavailable() {
    return unavailable.isEmpty() ? Optional.empty() : Optional.of(unavailable);
  }

  /** Whether the names are of the other source, because {@code /proc/kallsyms} hides them. */
  public boolean fromOtherSource() {
    return fromOther;
  }

  /** Reads the symbols now, for a caller that wants {@link #unavailable} before the first frame. */
  public void load() {
    loaded = true;
    loadedAt = nanoTime.getAsLong();
    String why = loadFile();
    if (!why.isEmpty() && other.isPresent()) {
      why = loadOther(other.get(), why);
    }
    if (why.isEmpty() || table.isEmpty()) {
      unavailable = why;
    }
  }

  /** Empty, or why there are no addresses in the file. */
  private String loadFile() {
    try {
      KernelSymbolTable read = KernelSymbolTable.read(kallsyms);
      if (read.count() == 0) {
        return hidden(read.lines());
      }
      table = Optional.of(read);
      fromOther = false;
      return "";
    } catch (IOException e) {
      return "cannot read " + kallsyms + ": " + e.getMessage();
    }
  }

  /** Empty, or why there are no addresses in the other source either. */
  private String loadOther(KernelSymbolSource source, String why) {
    try (InputStream in = source.open()) {
      KernelSymbolTable read = KernelSymbolTable.read(in);
      if (read.count() == 0) {
        return why + "; the BPF iterator has no symbols either";
      }
      table = Optional.of(read);
      fromOther = true;
      return "";
    } catch (IOException e) {
      return why + "; the BPF iterator that could tell them: " + e.getMessage();
    }
  }

  private String hidden(int lines) {
    if (lines == 0) {
      return kallsyms + " is empty; the kernel was built without CONFIG_KALLSYMS";
    }
    String restriction;
    try {
      restriction = Files.readString(pointerRestriction).strip();
    } catch (IOException e) {
      restriction = "unreadable";
    }
    return kallsyms
        + " hides its addresses: kernel.kptr_restrict="
        + restriction
        + " and no CAP_SYSLOG. Grant CAP_SYSLOG or set kernel.kptr_restrict=0";
  }

  private Symbol lookUp(long address) {
    if (table.isEmpty()) {
      return new Symbol.Unknown(KERNEL, unavailable);
    }
    KernelSymbolTable symbols = table.get();
    int index = symbols.find(address);
    if (index < 0) {
      return new Symbol.Unknown(KERNEL, "no kernel symbol covers the address");
    }
    String line = symbols.line(index);
    int tab = line.indexOf('\t');
    String function = tab < 0 ? line : line.substring(0, tab);
    if (ENDS.contains(function)) {
      return new Symbol.Unknown(KERNEL, "no kernel symbol covers the address");
    }
    String module = tab < 0 ? KERNEL : line.substring(tab + 1);
    return new Symbol.Known(function, module, address - symbols.start(index));
  }

  /** Heap the symbols take, in bytes. */
  public long heapBytes() {
    return table.map(KernelSymbolTable::heapBytes).orElse(0L);
  }
}
