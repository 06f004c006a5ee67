package io.jebpf.symbolizer.hotspot;

import io.jebpf.symbolizer.elf.ElfException;
import io.jebpf.symbolizer.elf.ElfImage;
import io.jebpf.symbolizer.elf.ElfSection;
import io.jebpf.symbolizer.elf.ElfSymbol;
import io.jebpf.symbolizer.elf.ElfSymbols;
import io.jebpf.symbolizer.elf.ElfTls;
import io.jebpf.symbolizer.modules.Module;
import java.util.Map;
import java.util.OptionalLong;

/** {@link LibjvmImage} of a mapped {@code libjvm.so}; the file is read once, here. Immutable. */
public final class LibjvmModule implements LibjvmImage {
  private final Map<String, ElfSymbol> symbols;
  private final OptionalLong tlsModuleSlot;
  private final long bias;
  private final long readOnlyStart;
  private final long readOnlyEnd;

  private LibjvmModule(Module module, ElfImage image) {
    bias = module.bias();
    symbols = Map.copyOf(ElfSymbols.find(image, LibjvmNames.all()));
    tlsModuleSlot = ElfTls.moduleSlot(image);
    ElfSection readOnly = image.section(".rodata").orElse(new ElfSection("", 0, 0, -bias, 0, 0, 0));
    readOnlyStart = bias + readOnly.address();
    readOnlyEnd = readOnlyStart + readOnly.bytes();
  }

  public static LibjvmModule read(Module libjvm) throws ElfException {
    try (ElfImage image = libjvm.open()) {
      return new LibjvmModule(libjvm, image);
    }
  }

  @Override
  public OptionalLong address(String symbol) {
    ElfSymbol found = symbols.get(symbol);
    return found == null || found.isTls()
        ? OptionalLong.empty()
        : OptionalLong.of(bias + found.value());
  }

  @Override
  public long bytes(String symbol) {
    ElfSymbol found = symbols.get(symbol);
    return found == null ? 0 : found.bytes();
  }

  @Override
  public OptionalLong tlsOffset(String symbol) {
    ElfSymbol found = symbols.get(symbol);
    return found == null || !found.isTls() ? OptionalLong.empty() : OptionalLong.of(found.value());
  }

  @Override
  public OptionalLong tlsModuleIdSlot() {
    return tlsModuleSlot.isPresent()
        ? OptionalLong.of(bias + tlsModuleSlot.getAsLong())
        : OptionalLong.empty();
  }

  @Override
  public long readOnlyStart() {
    return readOnlyStart;
  }

  @Override
  public long readOnlyEnd() {
    return readOnlyEnd;
  }
}
