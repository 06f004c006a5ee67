package io.jebpf.symbolizer.hotspot;

/** Reads HotSpot's {@code Symbol}s. Owner: one thread. */
final class Symbols {
  /** Longer names exist (up to 65,535 bytes) but serve no reader; they are cut. */
  private static final int BYTES_MAX = 2048;

  private final TargetMemory memory;
  private final MethodLayout layout;
  private final byte[] body = new byte[BYTES_MAX];

  Symbols(TargetMemory memory, MethodLayout layout) {
    this.memory = memory;
    this.layout = layout;
  }

  /** Text of the symbol; empty, and the memory chain failed, when there is none. */
  String at(long symbol) {
    int length = (int) Math.min(memory.value(symbol, layout.symbolLength()), BYTES_MAX);
    if (length == 0) {
      memory.fail();
    }
    return memory.ok() && memory.bytes(symbol + layout.symbolBody(), body, 0, length)
        ? ModifiedUtf8.decode(body, 0, length)
        : "";
  }

  /** Name of a class, internal form. */
  String className(long klass) {
    return at(memory.value(klass, layout.klassName()));
  }
}
