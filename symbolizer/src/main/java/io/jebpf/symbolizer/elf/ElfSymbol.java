package io.jebpf.symbolizer.elf;

/**
 * A symbol found by name.
 *
 * @param value ELF virtual address; for a symbol in TLS the offset in the object's TLS block
 * @param bytes size of what it names; 0 when the file does not say
 * @param type {@code STT_*}
 */
public record ElfSymbol(String name, long value, long bytes, int type) {
  public static final int TYPE_TLS = 6;

  public boolean isTls() {
    return type == TYPE_TLS;
  }
}
