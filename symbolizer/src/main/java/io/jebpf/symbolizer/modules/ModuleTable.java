package io.jebpf.symbolizer.modules;

import io.jebpf.symbolizer.ProcessMemory;
import io.jebpf.symbolizer.elf.ElfException;
import io.jebpf.symbolizer.elf.ElfImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The loaded objects of a process: which executable mapping belongs to which, by {@code
 * /proc/<pid>/maps}. Anonymous executable memory (the code cache, other JITs) and files that are
 * not ELF have no module and are not listed.
 *
 * <p>An object is known by device, inode, path, load bias and build id. While it stays mapped it
 * keeps its number; unloaded ones are still found by number for a while, so that samples taken
 * before can be named. Numbers are never given again. Owner: one thread.
 *
 * <p>Cost of {@link #refresh} when nothing changed: reading the maps text once, no allocation.
 */
public final class ModuleTable {
  /** As many as the kernel side takes (JEBPF_MAPPINGS_MAX). */
  static final int MAPPINGS_MAX = 8192;

  /** Unloaded modules still found by number. */
  static final int RETIRED_MAX = 256;

  /** Readings of the maps to get two that agree, in a process that maps all the time. */
  private static final int READINGS_MAX = 4;

  /** Files that are mapped executable but cannot be read as objects, remembered as such. */
  private static final int REFUSED_MAX = 1024;

  /** One that failed for want of descriptors, say, is tried again as often as the maps change. */
  private static final int TRIES_MAX = 5;

  /** Between looks that a sample asks for. */
  private static final long LOOK_PAUSE_NANOS = 50_000_000;

  /** A first guess at what a look takes, until it was measured. */
  private static final long REFRESH_NANOS_FIRST = 500_000;

  private final MapsFile maps;
  private final ModuleFile files;
  private final ProcessMemory memory;
  private final Map<FileKey, Known> known = new HashMap<>();
  private final Map<FileKey, Refusal> refused = new HashMap<>();
  private final Map<Integer, Module> retired = new LinkedHashMap<>();
  private Map<Integer, Module> modules = Map.of();
  private List<ExecMapping> mappings = List.of();
  private long fingerprint;
  private int lastNumber;
  private long droppedMappings;
  private long refreshNanos;
  private long lookedNanos;
  private boolean unreported;

  private record Refusal(String reason, int tries) {}

  private record FileKey(long device, long inode, String path) {
    // Written out: what the compiler makes for records costs classes at run time.
    @Override
    public boolean equals(Object other) {
      return other instanceof FileKey key
          && device == key.device
          && inode == key.inode
          && path.equals(key.path);
    }

    @Override
    public int hashCode() {
      return path.hashCode() * 31 + Long.hashCode(inode);
    }
  }

  /** What is known of a file: its image (closed, for its program headers) and its loads. */
  private record Known(ElfImage image, String buildId, Map<Long, Module> byBias) {}

  /** {@code process} is {@code /proc/<pid>} or {@code /proc/self}. */
  public ModuleTable(Path process, ProcessMemory memory) {
    this.maps = new MapsFile(process.resolve("maps"));
    this.files = new ModuleFile(process, memory);
    this.memory = memory;
  }

  /**
   * Reads the maps again.
   *
   * @return whether the executable mappings of objects changed since the last call
   * @throws IOException when the maps cannot be read: the process ended, or ptrace access to it is
   *     not allowed
   */
  public boolean refresh() throws IOException {
    boolean changed = look() || unreported;
    unreported = false;
    return changed;
  }

  private boolean look() throws IOException {
    long began = System.nanoTime();
    lookedNanos = began;
    boolean same = maps.fingerprint() == fingerprint;
    // One slow look (this thread had to wait for a CPU) says little.
    long elapsed = System.nanoTime() - began;
    refreshNanos = Math.min(elapsed, Math.max(2 * refreshNanos, REFRESH_NANOS_FIRST));
    return !same && readAgain();
  }

  private boolean readAgain() throws IOException {
    MapsFile.Reading reading = maps.read();
    for (int i = 1; i < READINGS_MAX; i++) {
      MapsFile.Reading again = maps.read();
      boolean agree = again.fingerprint() == reading.fingerprint();
      reading = again;
      if (agree) {
        break;
      }
    }
    if (reading.fingerprint() == fingerprint) {
      return false;
    }
    fingerprint = reading.fingerprint();
    return update(reading.entries());
  }

  private boolean update(List<MapsEntry> entries) {
    List<ExecMapping> found = new ArrayList<>();
    Map<Integer, Module> used = new HashMap<>();
    for (int i = 0; i < entries.size(); i++) {
      MapsEntry entry = entries.get(i);
      if (!entry.executable()) {
        continue;
      }
      Optional<Module> module = module(entries, i);
      if (module.isPresent() && found.size() < MAPPINGS_MAX) {
        found.add(new ExecMapping(entry.start(), entry.end(), module.get()));
        used.put(module.get().number(), module.get());
      } else if (module.isPresent()) {
        droppedMappings++;
      }
    }
    retireAllBut(used);
    boolean changed = !sameAsBefore(found);
    modules = used;
    mappings = List.copyOf(found);
    return changed;
  }

  private boolean sameAsBefore(List<ExecMapping> found) {
    if (found.size() != mappings.size()) {
      return false;
    }
    for (int i = 0; i < found.size(); i++) {
      ExecMapping one = found.get(i);
      ExecMapping before = mappings.get(i);
      boolean same = one.start() == before.start() && one.end() == before.end();
      if (!same || one.module() != before.module()) {
        return false;
      }
    }
    return true;
  }

  private Optional<Module> module(List<MapsEntry> entries, int index) {
    MapsEntry entry = entries.get(index);
    FileKey key = new FileKey(entry.device(), entry.inode(), entry.path());
    Refusal refusal = refused.get(key);
    if (refusal != null && refusal.tries >= TRIES_MAX) {
      return Optional.empty();
    }
    long header = header(entries, index);
    Known file = known.get(key);
    if (file == null) {
      try (ElfImage image = files.open(entry, header, "")) {
        file = new Known(image, Module.hex(image.buildId()), new HashMap<>());
        known.put(key, file);
        refused.remove(key);
      } catch (ElfException e) {
        int tries = e.isForeign() ? TRIES_MAX : refusal == null ? 1 : refusal.tries + 1;
        if (refusal != null || refused.size() < REFUSED_MAX) {
          refused.put(key, new Refusal(e.getMessage(), tries));
        }
        return Optional.empty();
      }
    }
    OptionalLong bias = file.image.bias(entry.start(), entry.offset(), true);
    if (bias.isEmpty()) {
      bias = file.image.bias(entry.start(), entry.offset(), false);
    }
    if (bias.isEmpty()) {
      return Optional.empty();
    }
    String buildId = file.buildId;
    return Optional.of(
        file.byBias.computeIfAbsent(
            bias.getAsLong(),
            b ->
                new Module(
                    ++lastNumber,
                    entry.path(),
                    b,
                    buildId,
                    () -> files.open(entry, header, buildId))));
  }

  /** Where the ELF header of an executable mapping's object is mapped; 0 when it is not. */
  private static long header(List<MapsEntry> entries, int index) {
    MapsEntry entry = entries.get(index);
    for (int i = index; i >= 0; i--) {
      MapsEntry before = entries.get(i);
      if (before.sameFile(entry) && before.offset() == 0) {
        return before.start();
      }
    }
    return 0;
  }

  private void retireAllBut(Map<Integer, Module> used) {
    for (Module module : modules.values()) {
      if (!used.containsKey(module.number())) {
        retired.put(module.number(), module);
      }
    }
    var oldest = retired.keySet().iterator();
    while (retired.size() > RETIRED_MAX && oldest.hasNext()) {
      oldest.next();
      oldest.remove();
    }
    for (Known file : known.values()) {
      file.byBias.values().removeIf(module -> !used.containsKey(module.number()));
    }
    known.values().removeIf(file -> file.byBias.isEmpty());
  }

  ProcessMemory memory() {
    return memory;
  }

  /**
   * About what a look at the maps takes when nothing has changed. It grows with the mappings (0.4
   * microseconds each), so a caller can space its looks.
   */
  public long refreshNanos() {
    return refreshNanos;
  }

  /** The executable mappings of objects, sorted by address. */
  public List<ExecMapping> mappings() {
    return mappings;
  }

  /** A loaded module, or one that was unloaded not long ago. */
  public Optional<Module> byNumber(int number) {
    Module module = modules.get(number);
    return Optional.ofNullable(module != null ? module : retired.get(number));
  }

  /** The loaded module that covers an address. */
  public Optional<Module> at(long address) {
    int low = 0;
    int high = mappings.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(mappings.get(middle).end(), address) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < mappings.size() && Long.compareUnsigned(mappings.get(low).start(), address) <= 0
        ? Optional.of(mappings.get(low).module())
        : Optional.empty();
  }

  /**
   * The loaded module that covers an address in no mapping known so far: the maps are read again
   * for it, unless that was done a moment ago. {@link #refresh} will report what is found.
   */
  Optional<Module> atAfterLook(long address) {
    Optional<Module> found = at(address);
    long pause = Math.max(LOOK_PAUSE_NANOS, 100 * refreshNanos);
    if (found.isPresent() || System.nanoTime() - lookedNanos < pause) {
      return found;
    }
    try {
      unreported |= look();
    } catch (IOException e) {
      return found; // the caller of refresh hears of it
    }
    return at(address);
  }

  /** The loaded module whose file has this name, {@code libjvm.so} for example. */
  public Optional<Module> byFileName(String fileName) {
    for (ExecMapping mapping : mappings) {
      if (mapping.module().fileName().equals(fileName)) {
        return Optional.of(mapping.module());
      }
    }
    return Optional.empty();
  }

  /** Executable mappings left out because there were more than {@value #MAPPINGS_MAX}. */
  public long droppedMappings() {
    return droppedMappings;
  }

  /** Paths that are mapped executable but could not be read as objects, with the reason. */
  public Map<String, String> refusals() {
    Map<String, String> result = new HashMap<>();
    refused.forEach((key, refusal) -> result.put(key.path, refusal.reason));
    return result;
  }
}
