package io.jebpf.symbolizer.elf;

/** A file or memory image that cannot be read as 64-bit little-endian ELF; the message says why. */
public final class ElfException extends Exception {
  private static final long serialVersionUID = 1L;

  private final boolean foreign;

  public ElfException(String message) {
    this(message, false);
  }

  private ElfException(String message, boolean foreign) {
    super(message);
    this.foreign = foreign;
  }

  /** For contents that were read and are something else than ELF, or ELF of another machine. */
  static ElfException foreign(String message) {
    return new ElfException(message, true);
  }

  public ElfException(String message, Throwable cause) {
    super(message, cause);
    this.foreign = false;
  }

  /** Whether the contents are not for us for sure, so that trying again is of no use. */
  public boolean isForeign() {
    return foreign;
  }
}
