package io.jebpf.symbolizer.hotspot;

/**
 * Code heap blocks and code blobs. Up to 22 a blob holds pointers to its code ({@code codeBegin},
 * {@code codeEnd}); from 23 on offsets ({@code codeOffset}, {@code dataOffset}: code ends where
 * data begins). {@code kind} counts only where {@link BlobKinds} has numbers for it (25+).
 */
record BlobLayout(
    int heapBlockBytes,
    Slot blockLength,
    Slot blockUsed,
    int blobBytes,
    Slot name,
    Slot size,
    Slot frameSize,
    Slot frameComplete,
    Slot kind,
    Slot codeBegin,
    Slot codeEnd,
    Slot codeOffset,
    Slot dataOffset,
    Slot mutableData,
    Slot mutableDataSize,
    Slot relocationSize,
    BlobKinds kinds) {

  static BlobLayout of(VmStructs structs) {
    BlobKinds kinds = BlobKinds.of(structs);
    Slot header = structs.field("HeapBlock::_header");
    int headerOffset = header.present() ? header.offset() : 0;
    return new BlobLayout(
        structs.size("HeapBlock"),
        structs.field("HeapBlock::Header::_length").shifted(headerOffset),
        structs.field("HeapBlock::Header::_used").shifted(headerOffset),
        structs.size("CodeBlob"),
        structs.field("CodeBlob::_name"),
        structs.field("CodeBlob::_size"),
        structs.field("CodeBlob::_frame_size"),
        structs.field("CodeBlob::_frame_complete_offset"),
        kinds.known() ? structs.field("CodeBlob::_kind") : Slot.ABSENT,
        structs.field("CodeBlob::_code_begin"),
        structs.field("CodeBlob::_code_end"),
        structs.field("CodeBlob::_code_offset"),
        structs.field("CodeBlob::_data_offset"),
        structs.field("CodeBlob::_mutable_data"),
        structs.field("CodeBlob::_mutable_data_size"),
        structs.field("CodeBlob::_relocation_size"),
        kinds);
  }

  /** Without these no pc can be attributed to a blob. */
  boolean usable() {
    return heapBlockBytes > 0
        && blobBytes > 0
        && blockLength.present()
        && blockUsed.present()
        && name.present()
        && size.present()
        && frameSize.present()
        && (codeBegin.present() && codeEnd.present()
            || codeOffset.present() && dataOffset.present());
  }
}
