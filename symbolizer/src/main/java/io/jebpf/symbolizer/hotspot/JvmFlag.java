package io.jebpf.symbolizer.hotspot;

/** A boolean flag of the JVM: where its one byte lives, and what it held when it was looked up. */
public record JvmFlag(long address, boolean value) {}
