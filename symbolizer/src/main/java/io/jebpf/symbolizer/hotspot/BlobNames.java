package io.jebpf.symbolizer.hotspot;

/**
 * Addresses of the names that classify blobs. Each is one literal in libjvm, shared by every blob
 * of its class, so the kernel compares pointers and never reads a string. 0: not found.
 */
record BlobNames(
    long nmethod, long nativeNmethod, long adapter, long vtable, long methodHandleAdapter) {

  private static final String NMETHOD = "nmethod";
  private static final String NATIVE_NMETHOD = "native nmethod";
  private static final String ADAPTER = "I2C/C2I adapters";
  private static final String VTABLE = "vtable chunks";
  private static final String METHOD_HANDLE_ADAPTER = "MethodHandles adapters";

  /**
   * From the blobs that exist; a class of which there is no blob yet (right after the start there
   * may be no native wrapper) from the literal itself, where it occurs exactly once.
   */
  static BlobNames find(TargetMemory memory, CodeHeaps heaps, Blobs blobs, LibjvmImage libjvm) {
    Collector found = new Collector(new StringReader(memory));
    heaps.each(address -> found.name(blobs.at(address).name()));
    LiteralScan literals = new LiteralScan(memory, libjvm.readOnlyStart(), libjvm.readOnlyEnd());
    return new BlobNames(
            found.nmethod,
            orLiteral(found.nativeNmethod, literals, NATIVE_NMETHOD),
            orLiteral(found.adapter, literals, ADAPTER),
            orLiteral(found.vtable, literals, VTABLE),
            orLiteral(found.methodHandleAdapter, literals, METHOD_HANDLE_ADAPTER))
        .withNmethod(literals);
  }

  /**
   * "nmethod" may share its bytes with the tail of "native nmethod" (the linker merges tails when
   * it optimises), so the literal counts only when it stands alone; else that tail is it.
   */
  private BlobNames withNmethod(LiteralScan literals) {
    if (nmethod != 0) {
      return this;
    }
    long alone = literals.find(NMETHOD);
    long tail = nativeNmethod == 0 ? 0 : nativeNmethod + NATIVE_NMETHOD.length() - NMETHOD.length();
    return new BlobNames(
        alone != 0 ? alone : tail, nativeNmethod, adapter, vtable, methodHandleAdapter);
  }

  private static long orLiteral(long found, LiteralScan literals, String text) {
    return found != 0 ? found : literals.find(text);
  }

  private static final class Collector {
    private final StringReader strings;
    private long nmethod;
    private long nativeNmethod;
    private long adapter;
    private long vtable;
    private long methodHandleAdapter;

    Collector(StringReader strings) {
      this.strings = strings;
    }

    void name(long address) {
      if (address == 0
          || address == nmethod
          || address == nativeNmethod
          || address == adapter
          || address == vtable
          || address == methodHandleAdapter) {
        return;
      }
      switch (strings.at(address)) {
        case NMETHOD -> nmethod = address;
        case NATIVE_NMETHOD -> nativeNmethod = address;
        case ADAPTER -> adapter = address;
        case VTABLE -> vtable = address;
        case METHOD_HANDLE_ADAPTER -> methodHandleAdapter = address;
        default -> {}
      }
    }
  }
}
