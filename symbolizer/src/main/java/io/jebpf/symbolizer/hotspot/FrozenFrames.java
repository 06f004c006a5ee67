package io.jebpf.symbolizer.hotspot;

/**
 * How the kernel reads references, and the frames that a virtual thread left in the heap. Offsets
 * come from libjvm's own variables; without its symbol table they are absent, and the kernel puts a
 * marker where frozen frames would be.
 */
record FrozenFrames(
    Oops.Encoding oops,
    int threadEetop,
    int continuationTail,
    int chunkParent,
    int chunkSp,
    int chunkBottom,
    int chunkPc,
    int chunkStack,
    int chunkMaxThawing,
    ThawEnd thawEnd) {

  // enum jebpf_oops
  private static final int WIDE = 1;
  private static final int NARROW = 2;
  private static final int COLOURED = 3;

  static FrozenFrames find(FieldOffsets fields, Oops.Encoding oops, ThawEnd thawEnd) {
    return new FrozenFrames(
        oops,
        offset(fields, LibjvmNames.THREAD_EETOP_OFFSET),
        offset(fields, LibjvmNames.CONT_TAIL_OFFSET),
        offset(fields, LibjvmNames.CHUNK_PARENT_OFFSET),
        offset(fields, LibjvmNames.CHUNK_SP_OFFSET),
        offset(fields, LibjvmNames.CHUNK_BOTTOM_OFFSET),
        offset(fields, LibjvmNames.CHUNK_PC_OFFSET),
        offset(fields, LibjvmNames.CHUNK_STACK_OFFSET),
        offset(fields, LibjvmNames.CHUNK_MAX_THAWING_OFFSET),
        thawEnd);
  }

  private static int offset(FieldOffsets fields, String symbol) {
    return fields.bySymbol(symbol).orElse(KernelKnobs.ABSENT);
  }

  void write(KnobSink sink) {
    sink.knob("oop_kind", oops.coloured() ? COLOURED : oops.narrowOops() ? NARROW : WIDE);
    sink.knob("oop_base", oops.oopBase());
    sink.knob("oop_shift", oops.oopShift());
    sink.knob("java_thread_eetop", threadEetop);
    sink.knob("cont_tail", continuationTail);
    sink.knob("chunk_parent", chunkParent);
    sink.knob("chunk_sp", chunkSp);
    sink.knob("chunk_bottom", chunkBottom);
    sink.knob("chunk_pc", chunkPc);
    sink.knob("chunk_stack", chunkStack);
    sink.knob("chunk_max_thawing", chunkMaxThawing);
    thawEnd.write(sink);
  }
}
