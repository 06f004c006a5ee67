package io.jebpf.symbolizer.hotspot;

/**
 * Reads the headers of code blobs. Owner: one thread at a time; a {@link Blob} is a value and stays
 * valid, though the memory it describes may be reused.
 */
final class Blobs {
  /** Larger than any header we know (17: 352). */
  private static final int HEADER_BYTES_MAX = 1024;

  private static final int BLOB_BYTES_MAX = 1 << 28;

  /**
   * {@code name}: address of the name; all blobs of a class share it. {@code kind}: {@link
   * BlobKinds#ABSENT} before 25. {@code frameSize} in words, 0 or -1 where there is no frame.
   */
  record Blob(
      long address,
      long name,
      int kind,
      int bytes,
      int frameSize,
      int frameComplete,
      long codeBegin,
      long codeEnd) {
    static final Blob NONE = new Blob(0, 0, BlobKinds.ABSENT, 0, 0, 0, 0, 0);

    boolean exists() {
      return address != 0;
    }
  }

  private final TargetMemory memory;
  private final BlobLayout layout;
  private final byte[] header;

  Blobs(TargetMemory memory, BlobLayout layout) {
    this.memory = memory;
    this.layout = layout;
    this.header = new byte[Math.min(layout.blobBytes(), HEADER_BYTES_MAX)];
  }

  /** {@link Blob#NONE} when there is no sane blob at {@code address}. */
  Blob at(long address) {
    memory.begin();
    if (!memory.bytes(address, header, 0, header.length)) {
      return Blob.NONE;
    }
    int bytes = (int) value(layout.size());
    long begin;
    long end;
    if (layout.codeBegin().present()) {
      begin = value(layout.codeBegin());
      end = value(layout.codeEnd());
    } else {
      begin = address + value(layout.codeOffset());
      end = address + value(layout.dataOffset());
    }
    if (bytes <= 0
        || bytes > BLOB_BYTES_MAX
        || begin < address
        || end < begin
        || end > address + bytes) {
      return Blob.NONE;
    }
    return new Blob(
        address,
        value(layout.name()),
        layout.kind().present() ? (int) value(layout.kind()) : BlobKinds.ABSENT,
        bytes,
        (int) value(layout.frameSize()),
        layout.frameComplete().present() ? (int) value(layout.frameComplete()) : -1,
        begin,
        end);
  }

  private long value(Slot slot) {
    return slot.offset() + slot.bytes() <= header.length ? Bytes.value(header, 0, slot) : 0;
  }
}
