package io.jebpf.symbolizer.hotspot;

/**
 * How native code finds the current thread: libjvm's TLS is dynamic, so the way is {@code dtv =
 * [fs_base + 8]; block = [dtv + 16 * moduleId]; Thread* = [block + threadOffset]}. Both 0 when
 * either is unknown.
 */
record Tls(long moduleId, long threadOffset) {
  private static final long MODULES_MAX = 1 << 16;
  private static final long BLOCK_BYTES_MAX = 1 << 20;
  private static final Tls UNKNOWN = new Tls(0, 0);

  static Tls find(TargetMemory memory, LibjvmImage libjvm) {
    long offset = libjvm.tlsOffset(LibjvmNames.CURRENT_THREAD).orElse(-1);
    memory.begin();
    long id = memory.i64(libjvm.tlsModuleIdSlot().orElse(0));
    return memory.ok() && id > 0 && id < MODULES_MAX && offset >= 0 && offset < BLOCK_BYTES_MAX
        ? new Tls(id, offset)
        : UNKNOWN;
  }
}
