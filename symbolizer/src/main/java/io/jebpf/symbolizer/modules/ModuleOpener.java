package io.jebpf.symbolizer.modules;

import io.jebpf.symbolizer.elf.ElfException;
import io.jebpf.symbolizer.elf.ElfImage;

/** Opens the ELF image of a module again and again. */
@FunctionalInterface
public interface ModuleOpener {
  ElfImage open() throws ElfException;
}
