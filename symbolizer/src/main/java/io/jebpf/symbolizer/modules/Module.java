package io.jebpf.symbolizer.modules;

import io.jebpf.symbolizer.elf.ElfException;
import io.jebpf.symbolizer.elf.ElfImage;
import io.jebpf.symbolizer.elf.ElfSymbols;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One object loaded at one place: a file, or the vDSO. Its number is never given to another one as
 * long as the {@link ModuleTable} lives.
 *
 * @param number 1 and up
 * @param path as the process sees it, without the kernel's " (deleted)"; {@code [vdso]}
 * @param bias address - ELF virtual address
 * @param buildId empty when there is none
 */
public record Module(int number, String path, long bias, String buildId, ModuleOpener opener) {
  static String hex(byte[] buildId) {
    return HexFormat.of().formatHex(buildId);
  }

  /** Opens the object's ELF image, from its file or from memory. The caller closes it. */
  public ElfImage open() throws ElfException {
    return opener.open();
  }

  /** File name without directories. */
  public String fileName() {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  /**
   * Whether its code keeps rbp frames, so that rbp can be followed where no unwind rule is found.
   * True for libjvm only: both vendors we looked at build it so (facts 7.3), and others do not.
   */
  public boolean keepsFramePointers() {
    return fileName().equals("libjvm.so");
  }

  /** Run-time address of a symbol; empty when the object or the symbol cannot be read. */
  public OptionalLong addressOf(String symbol) {
    try (ElfImage image = open()) {
      Optional<Long> address = ElfSymbols.find(image, symbol).map(s -> s.value() + bias);
      return address.isPresent() ? OptionalLong.of(address.get()) : OptionalLong.empty();
    } catch (ElfException e) {
      return OptionalLong.empty();
    }
  }
}
