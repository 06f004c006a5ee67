package io.jebpf.agent.engine;

import io.jebpf.agent.window.Mapping;
import io.jebpf.symbolizer.modules.ExecMapping;
import io.jebpf.symbolizer.modules.Module;
import io.jebpf.symbolizer.modules.ModuleTable;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Mappings of profiles for loaded modules. Owner: thread "jebpf-reader". */
final class ModuleMappings {
  private static final int ENTRIES_MAX = 4096;

  private final ModuleTable modules;
  private final Map<Integer, Mapping> byNumber = new HashMap<>();

  ModuleMappings(ModuleTable modules) {
    this.modules = modules;
  }

  /** The mapping of a module; of its path alone when the module is not known any more. */
  Mapping of(int number, String path) {
    Mapping known = byNumber.get(number);
    if (known != null) {
      return known;
    }
    Optional<Module> module = number == 0 ? Optional.empty() : modules.byNumber(number);
    if (module.isEmpty()) {
      return path.isEmpty() ? Mapping.UNKNOWN : Mapping.ofFile(path);
    }
    Mapping made = make(module.get());
    if (byNumber.size() == ENTRIES_MAX) {
      byNumber.clear();
    }
    byNumber.put(number, made);
    return made;
  }

  /** The mapping of the program file: the first one of a profile. */
  Mapping main(String path) {
    for (ExecMapping mapping : modules.mappings()) {
      if (mapping.module().path().equals(path)) {
        return of(mapping.module().number(), path);
      }
    }
    return path.isEmpty() ? Mapping.UNKNOWN : Mapping.ofFile(path);
  }

  private Mapping make(Module module) {
    long start = 0;
    long end = 0;
    for (ExecMapping mapping : modules.mappings()) {
      if (mapping.module().number() == module.number()) {
        start = start == 0 ? mapping.start() : start;
        end = mapping.end();
      }
    }
    String path = module.path().isEmpty() ? Mapping.UNKNOWN.file() : module.path();
    return new Mapping(path, start, end, 0, module.buildId(), Mapping.Kind.NATIVE);
  }
}
