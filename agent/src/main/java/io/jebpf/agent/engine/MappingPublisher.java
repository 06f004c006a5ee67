package io.jebpf.agent.engine;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.bpf.KernelException;
import io.jebpf.bpf.KernelMapping;
import io.jebpf.bpf.KernelPrograms;
import io.jebpf.bpf.UnwindTables;
import io.jebpf.symbolizer.elf.ElfException;
import io.jebpf.symbolizer.elf.ElfImage;
import io.jebpf.symbolizer.modules.ExecMapping;
import io.jebpf.symbolizer.modules.Module;
import io.jebpf.symbolizer.modules.ModuleTable;
import io.jebpf.symbolizer.unwind.UnwindCompiler;
import io.jebpf.symbolizer.unwind.UnwindRule;
import io.jebpf.symbolizer.unwind.UnwindTable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Keeps the kernel's view of the process's code up to date: which mapping belongs to which file,
 * and how to unwind it. A table is compiled once per loaded file and is not kept here: the kernel
 * has it. Owner: thread "jebpf-reader".
 */
final class MappingPublisher {
  private final ModuleTable modules;
  private final KernelPrograms programs;
  private final AgentLog log;
  private final LongSupplier loads;
  private final LookPace pace;
  private final Map<Integer, Table> tables = new HashMap<>();
  private boolean unknownSeen; // since the last look
  private long failures;
  private long leftOut;

  /** Number 0: the module has no table. */
  private record Table(int number, int rows) {
    static final Table NONE = new Table(0, 0);
  }

  /**
   * @param loads the dynamic linker's count of objects that came and went
   */
  MappingPublisher(
      ModuleTable modules,
      KernelPrograms programs,
      LongSupplier loads,
      AgentLog log,
      long nowNanos) {
    this.modules = modules;
    this.programs = programs;
    this.loads = loads;
    this.log = log;
    this.pace = new LookPace(nowNanos);
  }

  /** Modules whose table could not be made or not be put into the kernel. */
  long failures() {
    return failures;
  }

  /** Whether unknown code is a reason to look. */
  boolean isCurious() {
    return pace.isCurious();
  }

  /** How long until a look is due that has a reason; Long.MAX_VALUE: none has. */
  long dueInNanos(long nowNanos) {
    return pace.dueInNanos(nowNanos, unknownSeen, modules.refreshNanos());
  }

  /** Looks for new code when it is time; {@code unknown} when a sample has met such code. */
  void maintain(long nowNanos, boolean unknown) {
    long loadsBefore = loads.getAsLong();
    unknownSeen |= unknown;
    if (!pace.isDue(nowNanos, loadsBefore, unknownSeen, modules.refreshNanos())) {
      return;
    }
    boolean changed = false;
    try {
      changed = modules.refresh();
      if (changed) {
        publish();
      }
    } catch (IOException e) {
      log.warn(Trouble.NATIVE_TABLES, "/proc/self/maps: " + e);
    }
    pace.looked(nowNanos, loadsBefore, unknownSeen, changed);
    unknownSeen = false;
  }

  /** Tells the kernel about all present mappings; compiles what is new. */
  void publish() {
    compileNew();
    List<KernelMapping> published = new ArrayList<>();
    for (ExecMapping mapping : modules.mappings()) {
      Module module = mapping.module();
      Table table = tables.getOrDefault(module.number(), Table.NONE);
      published.add(
          new KernelMapping(
              mapping.start(),
              mapping.end(),
              mapping.bias(),
              module.number(),
              table.number(),
              table.rows(),
              module.keepsFramePointers() ? KernelMapping.FRAME_POINTERS : 0));
    }
    long left = programs.mappings().publish(published) + modules.droppedMappings();
    if (left > leftOut) {
      leftOut = left;
      log.warn(
          Trouble.NATIVE_TABLES,
          left + " mappings of code are more than the kernel side takes",
          "Stacks through them end in the marker frame [unwind stopped: no mapping]");
    }
    removeUnused(published);
  }

  private void compileNew() {
    programs.unwindTables().beginBatch();
    for (ExecMapping mapping : modules.mappings()) {
      Module module = mapping.module();
      if (!tables.containsKey(module.number())) {
        tables.put(module.number(), compile(module));
      }
    }
    try {
      programs.unwindTables().commit();
    } catch (KernelException e) {
      failures++;
      log.warn(Trouble.NATIVE_TABLES, e.getMessage(), e.advice());
    }
  }

  private void removeUnused(List<KernelMapping> published) {
    Map<Integer, Boolean> used = new HashMap<>();
    for (KernelMapping mapping : published) {
      used.put(mapping.module(), true);
    }
    Iterator<Map.Entry<Integer, Table>> entries = tables.entrySet().iterator();
    while (entries.hasNext()) {
      Map.Entry<Integer, Table> entry = entries.next();
      if (!used.containsKey(entry.getKey())) {
        if (entry.getValue().number() != 0) {
          programs.unwindTables().remove(entry.getValue().number());
        }
        entries.remove();
      }
    }
  }

  private Table compile(Module module) {
    long began = System.nanoTime();
    try (ElfImage image = module.open()) {
      UnwindTable table = UnwindCompiler.compile(image);
      Table added = table.rows() == 0 ? Table.NONE : add(table);
      if (log.isDebug()) {
        log.debug(
            "unwind table of "
                + module.path()
                + ": "
                + table.rows()
                + " rows, "
                + table.skipped()
                + " functions left out, "
                + (System.nanoTime() - began) / 1000
                + " us");
      }
      return added;
    } catch (ElfException | KernelException | RuntimeException e) {
      failures++;
      log.warn(Trouble.NATIVE_TABLES, module.path() + ": " + e);
      return Table.NONE;
    }
  }

  private Table add(UnwindTable table) throws KernelException {
    UnwindTables kernel = programs.unwindTables();
    List<UnwindRule> rules = table.rules();
    int[] numbers = new int[rules.size()];
    for (int i = 0; i < numbers.length; i++) {
      UnwindRule rule = rules.get(i);
      numbers[i] =
          kernel.rule(rule.cfa(), rule.cfaOffset(), rule.rbp(), rule.rbpOffset(), rule.raOffset());
    }
    UnwindTables.Rows rows =
        new UnwindTables.Rows() {
          @Override
          public int start(int row) {
            return table.start(row);
          }

          @Override
          public int rule(int row) {
            return numbers[table.rule(row)];
          }
        };
    return new Table(kernel.add(rows, table.rows()), table.rows());
  }
}
