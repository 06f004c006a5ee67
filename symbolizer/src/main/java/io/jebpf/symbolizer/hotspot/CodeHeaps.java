package io.jebpf.symbolizer.hotspot;

import java.util.ArrayList;
import java.util.List;

/**
 * The code cache: its heaps, whose reserved ranges never change after start, the look-up from a pc
 * to its blob by segment map, and the enumeration of all blobs.
 *
 * <pre>
 *   heap:  [ block header | CodeBlob ... ][ block header | CodeBlob ... ] ...   in segments
 *   segment map, one byte a segment: 0xff unused, 0 first of a block, n: go back n segments
 * </pre>
 *
 * Owner: one thread at a time.
 */
final class CodeHeaps {
  static final int HEAPS_MAX = 4; // JEBPF_CODE_HEAPS_MAX; HotSpot has 1 or 3

  /** Over 99 % of blobs need 1; the longest chain on which code runs has 4. */
  private static final int HOPS_MAX = 24;

  private static final int UNUSED_SEGMENT = 0xff;
  private static final long HEAP_BYTES_MAX = 1L << 32; // ReservedCodeCacheSize is at most 2 GiB
  private static final int SEGMENT_SHIFT_MAX = 16;
  private static final int SEGMAP_READ_BYTES = 4096;

  /** {@code committedEndAt}: address of the word that says how far the heap is in use today. */
  record Heap(long low, long high, long segmap, int shift, long committedEndAt) {
    boolean contains(long pc) {
      return pc >= low && pc < high;
    }
  }

  interface BlobVisitor {
    void blob(long blob);
  }

  private final TargetMemory memory;
  private final BlobLayout layout;
  private final List<Heap> heaps;
  private final byte[] block;
  private final byte[] segments = new byte[SEGMAP_READ_BYTES];

  private CodeHeaps(TargetMemory memory, BlobLayout layout, List<Heap> heaps) {
    this.memory = memory;
    this.layout = layout;
    this.heaps = List.copyOf(heaps);
    this.block = new byte[layout.heapBlockBytes()];
  }

  /** No heaps when the JVM has not made them yet. */
  static CodeHeaps read(TargetMemory memory, VmStructs structs, BlobLayout layout) {
    memory.begin();
    long array = memory.pointer(structs.staticAddress("CodeCache::_heaps"));
    long count =
        memory.value(array, structs.field("GrowableArrayBase::_len", "GenericGrowableArray::_len"));
    long elements = memory.value(array, structs.field("GrowableArray<int>::_data"));
    List<Heap> heaps = new ArrayList<>();
    if (memory.ok() && count > 0 && count <= HEAPS_MAX) {
      for (int i = 0; i < count; i++) {
        Heap heap = heap(memory, structs, memory.pointer(elements + 8L * i));
        if (memory.ok() && sane(heap)) {
          heaps.add(heap);
        }
      }
    }
    return new CodeHeaps(memory, layout, heaps);
  }

  private static Heap heap(TargetMemory memory, VmStructs structs, long at) {
    Slot memorySpace = structs.field("CodeHeap::_memory");
    Slot segmap = structs.field("CodeHeap::_segmap");
    Slot shift = structs.field("CodeHeap::_log2_segment_size");
    Slot low = structs.field("VirtualSpace::_low_boundary");
    Slot high = structs.field("VirtualSpace::_high_boundary");
    Slot segmapLow = structs.field("VirtualSpace::_low");
    Slot committed = structs.field("VirtualSpace::_high");
    if (!memorySpace.present() || !segmap.present() || !committed.present()) {
      memory.fail();
      return new Heap(0, 0, 0, 0, 0);
    }
    long space = at + memorySpace.offset();
    return new Heap(
        memory.value(space, low),
        memory.value(space, high),
        memory.value(at + segmap.offset(), segmapLow),
        (int) memory.value(at, shift),
        space + committed.offset());
  }

  private static boolean sane(Heap heap) {
    return heap.low != 0
        && heap.low < heap.high
        && heap.high - heap.low <= HEAP_BYTES_MAX
        && heap.segmap != 0
        && heap.shift > 0
        && heap.shift <= SEGMENT_SHIFT_MAX;
  }

  /** The same heaps for another thread, which reads with its own buffers. */
  CodeHeaps readingWith(TargetMemory other) {
    return new CodeHeaps(other, layout, heaps);
  }

  List<Heap> heaps() {
    return heaps;
  }

  boolean contains(long pc) {
    for (Heap heap : heaps) {
      if (heap.contains(pc)) {
        return true;
      }
    }
    return false;
  }

  /** The used blob whose block contains {@code pc}; 0 when there is none. */
  long blobAt(long pc) {
    for (Heap heap : heaps) {
      if (heap.contains(pc)) {
        return blobAt(heap, pc);
      }
    }
    return 0;
  }

  private long blobAt(Heap heap, long pc) {
    memory.begin();
    long segment = (pc - heap.low) >> heap.shift;
    int step = memory.u8(heap.segmap + segment);
    for (int hops = 0; step != 0; hops++) {
      if (!memory.ok() || step == UNUSED_SEGMENT || hops == HOPS_MAX || step > segment) {
        return 0;
      }
      segment -= step;
      step = memory.u8(heap.segmap + segment);
    }
    long header = heap.low + (segment << heap.shift);
    boolean used = memory.value(header, layout.blockUsed()) != 0;
    return memory.ok() && used ? header + layout.heapBlockBytes() : 0;
  }

  /**
   * Visits every used blob of every heap. The heaps change meanwhile: what is visited must be
   * checked by the visitor, and a block that makes no sense is skipped to the next block start.
   */
  void each(BlobVisitor visitor) {
    for (Heap heap : heaps) {
      each(heap, visitor);
    }
  }

  private void each(Heap heap, BlobVisitor visitor) {
    memory.begin();
    long end = Math.min(memory.pointer(heap.committedEndAt), heap.high);
    if (!memory.ok() || end <= heap.low) {
      return;
    }
    long segmentCount = (end - heap.low) >> heap.shift;
    for (long first = 0; first < segmentCount; first += SEGMAP_READ_BYTES) {
      int length = (int) Math.min(SEGMAP_READ_BYTES, segmentCount - first);
      if (!memory.bytes(heap.segmap + first, segments, 0, length)) {
        return;
      }
      for (int i = 0; i < length; i++) {
        if (segments[i] == 0) {
          visit(heap.low + ((first + i) << heap.shift), visitor);
        }
      }
    }
  }

  private void visit(long header, BlobVisitor visitor) {
    memory.begin();
    if (memory.bytes(header, block, 0, block.length)
        && Bytes.value(block, 0, layout.blockUsed()) != 0) {
      visitor.blob(header + layout.heapBlockBytes());
    }
  }
}
