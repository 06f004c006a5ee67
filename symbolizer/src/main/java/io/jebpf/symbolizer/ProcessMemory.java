package io.jebpf.symbolizer;

/**
 * Memory of the profiled process. All or nothing: a read that cannot be served in full leaves
 * {@code into} undefined and returns false; no address is ever dereferenced, so a wrong one costs
 * nothing.
 */
public interface ProcessMemory {
  boolean read(long address, byte[] into, int offset, int length);
}
