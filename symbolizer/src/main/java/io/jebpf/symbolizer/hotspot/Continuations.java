package io.jebpf.symbolizer.hotspot;

import java.util.OptionalLong;

/**
 * Where virtual threads leave the stack (21+). Addresses are 0 when unknown, or not there yet: the
 * stub behind {@code returnPc} is generated when {@code jdk.internal.vm.Continuation} is linked.
 */
record Continuations(
    long barrier,
    long barrierException,
    long stubsLow,
    long stubsHigh,
    long returnPc,
    long enterLow,
    long enterHigh,
    int entryFrameBytes,
    Slot contEntry) {

  /** Around the barrier, where the stubs have no blob of their own (21). */
  private static final int STUBS_REACH = 0x300;

  private static final int STUB_BLOB_BYTES_MAX = 1 << 22;
  private static final String OF_STUB_ROUTINES = "StubRoutines::";
  private static final Continuations NONE = new Continuations(0, 0, 0, 0, 0, 0, 0, 0, Slot.ABSENT);

  static Continuations find(
      TargetMemory memory,
      VmStructs structs,
      LibjvmImage libjvm,
      HotspotLayout layout,
      CodeHeaps heaps,
      Blobs blobs) {
    long returnPc =
        variable(
            memory, structs, libjvm, "ContinuationEntry::_return_pc", LibjvmNames.CONT_RETURN_PC);
    long barrier =
        variable(
            memory,
            structs,
            libjvm,
            OF_STUB_ROUTINES + "_cont_returnBarrier",
            LibjvmNames.CONT_BARRIER);
    long exception =
        variable(
            memory,
            structs,
            libjvm,
            OF_STUB_ROUTINES + "_cont_returnBarrierExc",
            LibjvmNames.CONT_BARRIER_EXC);
    if (structs.size("ContinuationEntry") == 0 && barrier == 0) {
      return NONE;
    }
    StringReader strings = new StringReader(memory);
    if (barrier == 0) {
      BarrierScan scan = new BarrierScan(memory, strings, blobs);
      heaps.each(scan::blob);
      barrier = scan.first;
      exception = scan.second;
    }
    Blobs.Blob stubs = barrier == 0 ? Blobs.Blob.NONE : blobs.at(heaps.blobAt(barrier));
    boolean ownBlob = stubs.exists() && strings.at(stubs.name()).contains("ontinuation");
    long low = ownBlob ? stubs.codeBegin() : Math.max(barrier - STUBS_REACH, stubs.codeBegin());
    long high = ownBlob ? stubs.codeEnd() : Math.min(barrier + STUBS_REACH, stubs.codeEnd());
    Blobs.Blob entry = returnPc == 0 ? Blobs.Blob.NONE : blobs.at(heaps.blobAt(returnPc));
    return new Continuations(
        barrier,
        exception,
        stubs.exists() ? low : 0,
        stubs.exists() ? high : 0,
        entry.exists() ? returnPc : 0,
        entry.exists() ? entry.codeBegin() : 0,
        entry.exists() ? entry.codeEnd() : 0,
        entry.exists() && entry.frameSize() > 0 ? 8 * entry.frameSize() : 0,
        contEntry(memory, layout, barrier));
  }

  /** 21 does not export the field, but the barrier's first instruction is a load of it. */
  private static Slot contEntry(TargetMemory memory, HotspotLayout layout, long barrier) {
    if (layout.thread().contEntry().present() || barrier == 0) {
      return layout.thread().contEntry();
    }
    memory.begin();
    byte[] code = new byte[BarrierScan.LOAD_BYTES];
    return memory.bytes(barrier, code, 0, code.length) && BarrierScan.isLoad(code, 0)
        ? Slot.pointer(Bytes.i32(code, 3))
        : Slot.ABSENT;
  }

  /** Value of a static pointer, by its entry in the tables or else by its symbol; 0 if neither. */
  private static long variable(
      TargetMemory memory, VmStructs structs, LibjvmImage libjvm, String entry, String symbol) {
    long at = structs.staticAddress(entry);
    OptionalLong address = at != 0 ? OptionalLong.of(at) : libjvm.address(symbol);
    if (address.isEmpty()) {
      return 0;
    }
    memory.begin();
    long value = memory.pointer(address.getAsLong());
    return TargetMemory.plausible(value) ? value : 0;
  }

  /**
   * Without symbols: the two barriers are the only stubs that begin {@code mov rsp,[r15+disp32];
   * push rax} (return values are saved before the thaw).
   */
  private static final class BarrierScan {
    static final int LOAD_BYTES = 8;
    private final TargetMemory memory;
    private final StringReader strings;
    private final Blobs blobs;
    private long first;
    private long second;

    BarrierScan(TargetMemory memory, StringReader strings, Blobs blobs) {
      this.memory = memory;
      this.strings = strings;
      this.blobs = blobs;
    }

    void blob(long address) {
      Blobs.Blob blob = blobs.at(address);
      long bytes = blob.codeEnd() - blob.codeBegin();
      if (second != 0
          || bytes < LOAD_BYTES
          || bytes > STUB_BLOB_BYTES_MAX
          || !strings.at(blob.name()).startsWith("StubRoutines")) {
        return;
      }
      byte[] code = new byte[(int) bytes];
      memory.begin();
      if (!memory.bytes(blob.codeBegin(), code, 0, code.length)) {
        return;
      }
      for (int i = 0; i + LOAD_BYTES <= code.length; i++) {
        if (isLoad(code, i)) {
          if (first == 0) {
            first = blob.codeBegin() + i;
          } else {
            second = blob.codeBegin() + i;
            return;
          }
        }
      }
    }

    static boolean isLoad(byte[] code, int at) {
      return code[at] == 0x49
          && code[at + 1] == (byte) 0x8b
          && code[at + 2] == (byte) 0xa7
          && code[at + 7] == 0x50;
    }
  }
}
