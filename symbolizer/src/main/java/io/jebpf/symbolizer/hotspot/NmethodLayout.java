package io.jebpf.symbolizer.hotspot;

/**
 * Compiled methods. Where the debug information lies changed twice:
 *
 * <ul>
 *   <li>up to 22 inside the blob: {@code scopesDataBegin} (pointer), then PcDescs at {@code
 *       scopesPcsOffset} up to {@code dependenciesOffset}, metadata at {@code metadataOffset};
 *   <li>23 and 24: PcDescs, then scopes, at offsets into {@code immutableData} (malloc'ed);
 *       metadata at {@code metadataOffset} from the blob's data;
 *   <li>25 on: metadata after the relocations in {@code CodeBlob::_mutable_data}; 26 on the
 *       immutable data ends at {@code immutableDataRefCountOffset}.
 * </ul>
 */
record NmethodLayout(
    int bytes,
    Slot method,
    Slot compileId,
    Slot origPc,
    Slot state,
    Slot compLevel,
    Slot entryBci,
    Slot deoptBegin,
    Slot deoptMhBegin,
    Slot deoptOffset,
    Slot deoptMhOffset,
    Slot stubOffset,
    Slot verifiedEntry,
    Slot verifiedEntryOffset,
    Slot scopesDataBegin,
    Slot scopesDataOffset,
    Slot scopesPcsOffset,
    Slot dependenciesOffset,
    Slot metadataOffset,
    Slot immutableData,
    Slot immutableDataSize,
    Slot immutableDataRefCountOffset,
    int pcDescBytes,
    Slot pcOffset,
    Slot scopeDecodeOffset) {

  static NmethodLayout of(VmStructs structs) {
    return new NmethodLayout(
        structs.size("nmethod"),
        structs.field("nmethod::_method", "CompiledMethod::_method"),
        structs.field("nmethod::_compile_id"),
        structs.field("nmethod::_orig_pc_offset"),
        structs.field("nmethod::_state"),
        structs.field("nmethod::_comp_level"),
        structs.field("nmethod::_entry_bci"),
        structs.field("CompiledMethod::_deopt_handler_begin", "nmethod::_deopt_handler_begin"),
        structs.field(
            "CompiledMethod::_deopt_mh_handler_begin", "nmethod::_deopt_mh_handler_begin"),
        structs.field("nmethod::_deopt_handler_offset", "nmethod::_deopt_handler_entry_offset"),
        structs.field("nmethod::_deopt_mh_handler_offset"),
        structs.field("nmethod::_stub_offset"),
        structs.field("nmethod::_verified_entry_point"),
        structs.field("nmethod::_verified_entry_offset"),
        structs.field("CompiledMethod::_scopes_data_begin", "nmethod::_scopes_data_begin"),
        structs.field("nmethod::_scopes_data_offset"),
        structs.field("nmethod::_scopes_pcs_offset"),
        structs.field("nmethod::_dependencies_offset"),
        structs.field("nmethod::_metadata_offset"),
        structs.field("nmethod::_immutable_data"),
        structs.field("nmethod::_immutable_data_size"),
        structs.field("nmethod::_immutable_data_ref_count_offset"),
        structs.size("PcDesc"),
        structs.field("PcDesc::_pc_offset"),
        structs.field("PcDesc::_scope_decode_offset"));
  }

  /** Without these a compiled frame cannot even be named. */
  boolean usable() {
    return bytes > 0 && method.present() && compileId.present();
  }

  /** Inlining and lines can be decoded, too. */
  boolean hasScopes() {
    return pcDescBytes > 0
        && pcOffset.present()
        && scopeDecodeOffset.present()
        && scopesPcsOffset.present()
        && (immutableData.present() && scopesDataOffset.present() && immutableDataSize.present()
            || scopesDataBegin.present()
                && dependenciesOffset.present()
                && metadataOffset.present());
  }
}
