package io.jebpf.symbolizer.elf;

/** A file or memory image that cannot be read as 64-bit little-endian ELF; the message says why. */
public final class ElfException extends Exception {
  private static final long serialVersionUID = 1L;

  public ElfException(String message) {
    super(message);
  }

  public ElfException(String message, Throwable cause) {
    super(message, cause);
  }
}
