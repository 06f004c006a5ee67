package io.jebpf.symbolizer.modules;

/**
 * An executable mapping of a loaded object.
 *
 * @param start first address
 * @param end exclusive
 */
public record ExecMapping(long start, long end, Module module) {
  /** Address - bias = ELF virtual address. */
  public long bias() {
    return module.bias();
  }
}
