package io.jebpf.symbolizer.hotspot;

import java.util.ArrayList;
import java.util.List;

/**
 * Decodes the debug information of compiled methods: pc → PcDesc → chain of scopes.
 *
 * <p>An nmethod may be freed and its place reused at any time. What was read counts only if the
 * block is in use, the compile id is the one asked for, and the header reads the same after the
 * decoding as before (from 23 on the debug information is malloc'ed and freed with it).
 *
 * <p>Owner: the reader thread.
 */
final class Nmethods {
  private static final int HEADER_BYTES_MAX = 1024;
  private static final int PC_DESCS_MAX = 1 << 20;
  private static final int SCOPES_MAX = 512; // inlining depth; MaxInlineLevel is 15
  private static final int DEBUG_INFO_BYTES_MAX = 1 << 28;

  /** In 17: unloaded 3, zombie 4; from 21 on the highest state is 2. */
  private static final int STATE_UNLOADED = 3;

  private static final int LEVEL_C2 = 4;

  /** Sender, method and bci take at most 5 bytes each. */
  private static final int SCOPE_BYTES = 15;

  /** One method activation inside a compiled frame. {@code bci} -1: at its entry. */
  record Scope(long method, int bci) {}

  /** Outcome of {@link #decode}. */
  sealed interface Decoding {
    /** Innermost inlined callee first; the last is the compiled method itself. Never empty. */
    record Scopes(List<Scope> scopes, boolean c1) implements Decoding {}

    /** Only the method is known: no debug information covers the pc. */
    record MethodOnly(long method, boolean c1) implements Decoding {}

    /** Other code is there by now, or none. */
    record Replaced() implements Decoding {}

    record Unreadable() implements Decoding {}
  }

  private static final byte[] NO_CODE = {};
  private static final Decoding REPLACED = new Decoding.Replaced();
  private static final Decoding UNREADABLE = new Decoding.Unreadable();

  private final TargetMemory memory;
  private final BlobLayout blobLayout;
  private final NmethodLayout layout;
  private final boolean zeroIsFree;
  private final byte[] header;
  private final byte[] again;
  private final byte[] scope = new byte[SCOPE_BYTES];

  Nmethods(TargetMemory memory, HotspotLayout layout) {
    this.memory = memory;
    this.blobLayout = layout.blob();
    this.layout = layout.nmethod();
    this.zeroIsFree = layout.method().zeroIsFree();
    int bytes = Math.min(this.layout.bytes(), HEADER_BYTES_MAX);
    this.header = new byte[bytes];
    this.again = new byte[bytes];
  }

  /**
   * @param pcOffset pc - code begin, of the pc itself, be it exact or a return address: HotSpot
   *     keeps a PcDesc at each call's return address
   */
  Decoding decode(long nmethod, int compileId, int pcOffset) {
    memory.begin();
    if (!readHeader(nmethod, header) || (int) field(layout.compileId()) != compileId) {
      return memory.ok() ? REPLACED : UNREADABLE;
    }
    if (isUnloaded(nmethod, header)) {
      return REPLACED;
    }
    Decoding decoding = scopes(nmethod, pcOffset);
    memory.begin();
    return readHeader(nmethod, again) && sameIdentity() && !isUnloaded(nmethod, again)
        ? decoding
        : REPLACED;
  }

  /** Also false when the block has been freed. */
  private boolean readHeader(long nmethod, byte[] into) {
    long block = nmethod - blobLayout.heapBlockBytes();
    return memory.bytes(nmethod, into, 0, into.length)
        && memory.value(block, blobLayout.blockUsed()) != 0
        && memory.ok();
  }

  /**
   * The code is still there but its class is gone, so the metadata it refers to may describe other
   * classes by now: up to 20 it lingers as unloaded or zombie; from 23 on the debug information is
   * freed first, and its address set to the blob's end.
   */
  private boolean isUnloaded(long nmethod, byte[] from) {
    boolean lingers =
        layout.state().present() && Bytes.value(from, 0, layout.state()) >= STATE_UNLOADED;
    boolean purged =
        layout.immutableData().present()
            && field(layout.immutableDataSize()) > 0
            && field(layout.immutableData()) == nmethod + field(blobLayout.size());
    return lingers || purged || field(layout.method()) == 0;
  }

  /** Levels 1 to 3 are C1's, with more or less profiling; native wrappers have 0. */
  private boolean isC1() {
    long level = field(layout.compLevel());
    return level > 0 && level < LEVEL_C2;
  }

  private boolean sameIdentity() {
    return same(layout.compileId())
        && same(layout.method())
        && same(layout.immutableData())
        && same(blobLayout.mutableData());
  }

  private boolean same(Slot slot) {
    return !slot.present() || Bytes.value(header, 0, slot) == Bytes.value(again, 0, slot);
  }

  private long field(Slot slot) {
    return slot.present() && slot.offset() + slot.bytes() <= header.length
        ? Bytes.value(header, 0, slot)
        : 0;
  }

  private Decoding scopes(long nmethod, int pcOffset) {
    long method = field(layout.method());
    Decoding methodOnly =
        TargetMemory.plausible(method) ? new Decoding.MethodOnly(method, isC1()) : UNREADABLE;
    if (!layout.hasScopes()) {
      return methodOnly;
    }
    DebugInfo info = debugInfo(nmethod);
    long descs = (info.pcsEnd - info.pcs) / layout.pcDescBytes();
    if (descs <= 0 || descs > PC_DESCS_MAX || info.scopesEnd - info.scopes > DEBUG_INFO_BYTES_MAX) {
      return methodOnly;
    }
    Place place = placeOf(nmethod, info.pcs, (int) descs, pcOffset);
    if (!memory.ok() || place.decodeOffset <= 0) {
      return methodOnly;
    }
    List<Scope> scopes = new ArrayList<>(4);
    if (!chain(info, place.decodeOffset, scopes)) {
      return methodOnly;
    }
    List<Scope> known = place.inlined ? scopes : List.of(scopes.getLast());
    return new Decoding.Scopes(known, isC1());
  }

  /** Addresses; ends are exclusive. {@code metadataEnd} 0: unknown. */
  private record DebugInfo(
      long pcs, long pcsEnd, long scopes, long scopesEnd, long metadata, long metadataEnd) {}

  private DebugInfo debugInfo(long nmethod) {
    if (!layout.immutableData().present()) { // up to 22
      long pcs = nmethod + field(layout.scopesPcsOffset());
      long scopes = field(layout.scopesDataBegin());
      long metadata = nmethod + field(layout.metadataOffset());
      return new DebugInfo(
          pcs, nmethod + field(layout.dependenciesOffset()), scopes, pcs, metadata, scopes);
    }
    long data = field(layout.immutableData());
    long scopes = data + field(layout.scopesDataOffset());
    Slot end =
        layout.immutableDataRefCountOffset().present()
            ? layout.immutableDataRefCountOffset()
            : layout.immutableDataSize();
    long mutable = field(blobLayout.mutableData());
    boolean inBlob = layout.metadataOffset().present(); // 23 and 24
    long metadata =
        inBlob
            ? nmethod + field(blobLayout.dataOffset()) + field(layout.metadataOffset())
            : mutable + field(blobLayout.relocationSize());
    long metadataEnd =
        inBlob ? nmethod + field(blobLayout.size()) : mutable + field(blobLayout.mutableDataSize());
    return new DebugInfo(
        data + field(layout.scopesPcsOffset()),
        scopes,
        scopes,
        data + field(end),
        metadata,
        metadataEnd);
  }

  /**
   * What is known of a pc. {@code decodeOffset} 0: no scopes. Not {@code inlined}: it is not known
   * which calls were inlined there, only the compiled method and about where in it.
   */
  private record Place(int decodeOffset, boolean inlined) {}

  /** The first PcDesc at or after it (they are sorted), but for what {@link StraightLine} knows. */
  private Place placeOf(long nmethod, long pcs, int count, int pcOffset) {
    int low = 0;
    int high = count;
    while (low < high && memory.ok()) {
      int middle = (low + high) >>> 1;
      if (pcOf(pcs, middle) < pcOffset) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    int next = low < count ? decodeOffset(pcs, low) : 0;
    Place asTheJvm = new Place(next, true);
    if (!memory.ok() || !StraightLine.IS_KNOWN) {
      return asTheJvm;
    }
    int to = next > 0 ? pcOf(pcs, low) : pcOffset;
    boolean exact = next > 0 && to == pcOffset;
    if (exact && !isC1()) {
      return asTheJvm;
    }
    int from = low > 0 ? Math.max(pcOf(pcs, low - 1), 0) : 0;
    byte[] code = code(nmethod, from, to);
    if (exact) {
      boolean ofTheBlockBefore = StraightLine.endsWithUnrecordedJump(code);
      int following = ofTheBlockBefore && low + 1 < count ? decodeOffset(pcs, low + 1) : 0;
      return following > 0 ? new Place(following, true) : asTheJvm;
    }
    return switch (StraightLine.at(code, pcOffset - from, isC1())) {
      case NEXT -> asTheJvm;
      case PREVIOUS -> {
        int previous = low > 0 ? decodeOffset(pcs, low - 1) : 0;
        yield previous > 0 ? new Place(previous, true) : new Place(next, false);
      }
      case NEITHER -> new Place(next, false);
    };
  }

  /** Empty where the code is too long, or cannot be read. */
  private byte[] code(long nmethod, int from, int to) {
    int length = to - from;
    if (length <= 0 || length > StraightLine.BYTES_MAX) {
      return NO_CODE;
    }
    long begin =
        blobLayout.codeBegin().present()
            ? field(blobLayout.codeBegin())
            : nmethod + field(blobLayout.codeOffset());
    byte[] code = new byte[length];
    return memory.bytes(begin + from, code, 0, length) ? code : NO_CODE;
  }

  private int pcOf(long pcs, int index) {
    return (int) memory.value(pcs + (long) index * layout.pcDescBytes(), layout.pcOffset());
  }

  private int decodeOffset(long pcs, int index) {
    return (int)
        memory.value(pcs + (long) index * layout.pcDescBytes(), layout.scopeDecodeOffset());
  }

  /** Follows the senders; their offsets strictly decrease, which bounds the chain. */
  private boolean chain(DebugInfo info, int first, List<Scope> scopes) {
    for (int offset = first; offset > 0; ) {
      int length = (int) Math.min(SCOPE_BYTES, info.scopesEnd - info.scopes - offset);
      if (length <= 0
          || scopes.size() == SCOPES_MAX
          || !memory.bytes(info.scopes + offset, scope, 0, length)) {
        return false;
      }
      Unsigned5 in = new Unsigned5(scope, 0, length, zeroIsFree);
      int sender = in.next();
      int methodIndex = in.next();
      int bci = in.next() - 1;
      long slot = info.metadata + 8L * (methodIndex - 1);
      if (!in.ok() || methodIndex <= 0 || slot + 8 > info.metadataEnd || sender >= offset) {
        return false;
      }
      long method = memory.pointer(slot);
      if (!memory.ok() || sender < 0) {
        return false;
      }
      scopes.add(new Scope(method, bci));
      offset = sender;
    }
    return !scopes.isEmpty() && scopes.getLast().method() == field(layout.method());
  }
}
