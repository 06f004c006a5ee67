package io.jebpf.symbolizer.hotspot;

import java.util.List;

/**
 * Writes what the kernel's unwinder must know of this JVM: every field of its own but depth_max,
 * context_table and show_carrier.
 */
record KernelKnobs(
    HotspotLayout layout,
    CodeHeaps heaps,
    long codeLow,
    long codeHigh,
    long codeEpoch,
    Interpreter interpreter,
    List<EntryCodelet> entries,
    long callStubReturn,
    Continuations continuations,
    FrozenFrames frozen,
    MountedThread mounted,
    BlobNames names,
    Tls tls,
    int stateInJava) {

  static final int ENTRY_CODELETS_MAX = 64; // JEBPF_ENTRY_CODELETS_MAX
  static final int ABSENT = 0xffff; // JEBPF_ABSENT

  void write(KnobSink sink) {
    sink.knob("has_hotspot", 1);
    codeCache(sink);
    blob(sink);
    nmethod(sink);
    method(sink);
    thread(sink);
    kinds(sink);
    frozen.write(sink);
    mounted.write(sink);
  }

  private void codeCache(KnobSink sink) {
    sink.knob("code_low", codeLow);
    sink.knob("code_high", codeHigh);
    sink.knob("code_epoch", codeEpoch);
    sink.knob("interpreter_low", interpreter.low());
    sink.knob("interpreter_high", interpreter.high());
    for (int i = 0; i < heaps.heaps().size(); i++) {
      CodeHeaps.Heap heap = heaps.heaps().get(i);
      sink.knob("heaps", i, "low", heap.low());
      sink.knob("heaps", i, "high", heap.high());
      sink.knob("heaps", i, "segmap", heap.segmap());
      sink.knob("heaps", i, "shift", heap.shift());
    }
    sink.knob("call_stub_return", callStubReturn);
    sink.knob("cont_barrier", continuations.barrier());
    sink.knob("cont_barrier_exc", continuations.barrierException());
    sink.knob("cont_stubs_low", continuations.stubsLow());
    sink.knob("cont_stubs_high", continuations.stubsHigh());
    sink.knob("cont_return_pc", continuations.returnPc());
    sink.knob("cont_enter_low", continuations.enterLow());
    sink.knob("cont_enter_high", continuations.enterHigh());
    sink.knob("cont_entry_frame_bytes", continuations.entryFrameBytes());
    sink.knob("name_nmethod", names.nmethod());
    sink.knob("name_native_nmethod", names.nativeNmethod());
    sink.knob("name_adapter", names.adapter());
    sink.knob("name_vtable", names.vtable());
    sink.knob("name_mh_adapter", names.methodHandleAdapter());
    sink.knob("tls_module_id", tls.moduleId());
    sink.knob("tls_thread_offset", tls.threadOffset());
    int count = Math.min(entries.size(), ENTRY_CODELETS_MAX);
    sink.knob("entry_codelet_count", count);
    for (int i = 0; i < count; i++) {
      EntryCodelet entry = entries.get(i);
      sink.knob("entry_codelets", i, "start", entry.start());
      sink.knob("entry_codelets", i, "size", entry.bytes());
      sink.knob("entry_codelets", i, "pop_rax", unsigned(entry.popRax()));
      sink.knob("entry_codelets", i, "push_rax", unsigned(entry.pushRax()));
      sink.knob("entry_codelets", i, "built", unsigned(entry.built()));
    }
  }

  private void blob(KnobSink sink) {
    BlobLayout blob = layout.blob();
    sink.knob("heap_block_bytes", blob.heapBlockBytes());
    offset(sink, "heap_block_used", blob.blockUsed());
    offset(sink, "blob_name", blob.name());
    offset(sink, "blob_size", blob.size());
    offset(sink, "blob_frame_size", blob.frameSize());
    offset(sink, "blob_frame_complete", blob.frameComplete());
    sink.knob("flag_frame_complete_i16", blob.frameComplete().bytes() == 2 ? 1 : 0);
    offset(sink, "blob_kind", blob.kind());
    offset(sink, "blob_code_begin", blob.codeBegin());
    offset(sink, "blob_code_offset", blob.codeOffset());
    offset(sink, "blob_code_end", blob.codeEnd());
    offset(sink, "blob_data_offset", blob.dataOffset());
  }

  private void nmethod(KnobSink sink) {
    NmethodLayout nmethod = layout.nmethod();
    offset(sink, "nmethod_method", nmethod.method());
    offset(sink, "nmethod_compile_id", nmethod.compileId());
    offset(sink, "nmethod_orig_pc", nmethod.origPc());
    offset(sink, "nmethod_deopt_begin", nmethod.deoptBegin());
    offset(sink, "nmethod_deopt_mh_begin", nmethod.deoptMhBegin());
    offset(sink, "nmethod_deopt_offset", nmethod.deoptOffset());
    offset(sink, "nmethod_deopt_mh_offset", nmethod.deoptMhOffset());
    offset(sink, "nmethod_stub_offset", nmethod.stubOffset());
    offset(sink, "nmethod_verified_entry", nmethod.verifiedEntry());
    offset(sink, "nmethod_verified_entry_offset", nmethod.verifiedEntryOffset());
  }

  private void method(KnobSink sink) {
    MethodLayout method = layout.method();
    offset(sink, "method_const", method.constMethod());
    sink.knob("const_method_bytes", method.constMethodBytes());
    offset(sink, "const_method_constants", method.constants());
    offset(sink, "const_method_code_size", method.codeSize());
  }

  private void thread(KnobSink sink) {
    ThreadLayout thread = layout.thread();
    offset(sink, "thread_anchor_sp", thread.anchorSp());
    offset(sink, "thread_anchor_pc", thread.anchorPc());
    offset(sink, "thread_anchor_fp", thread.anchorFp());
    offset(sink, "thread_state", thread.state());
    offset(sink, "thread_osthread", thread.osthread());
    offset(sink, "thread_vframe_array_head", thread.vframeArrayHead());
    offset(sink, "thread_saved_pc", thread.savedExceptionPc());
    offset(sink, "thread_cont_entry", continuations.contEntry());
    offset(sink, "osthread_id", thread.osthreadId());
    offset(sink, "thread_object", thread.threadObj());
    offset(sink, "thread_vthread", thread.vthread());
    offset(sink, "wrapper_anchor", thread.wrapperAnchor());
    offset(sink, "cont_entry_parent", thread.contEntryParent());
    sink.knob("state_in_java", stateInJava);
  }

  private void kinds(KnobSink sink) {
    BlobKinds kinds = layout.blob().kinds();
    sink.knob("kind_nmethod", kinds.nmethod());
    sink.knob("kind_buffer", kinds.buffer());
    sink.knob("kind_adapter", kinds.adapter());
    sink.knob("kind_vtable", kinds.vtable());
    sink.knob("kind_mh_adapter", kinds.methodHandleAdapter());
    sink.knob("kind_runtime_stub", kinds.runtimeStub());
    sink.knob("kind_deoptimization", kinds.deoptimization());
    sink.knob("kind_safepoint", kinds.safepoint());
    sink.knob("kind_exception", kinds.exception());
    sink.knob("kind_uncommon_trap", kinds.uncommonTrap());
    sink.knob("kind_upcall", kinds.upcall());
  }

  private static void offset(KnobSink sink, String field, Slot slot) {
    sink.knob(field, slot.present() ? slot.offset() : ABSENT);
  }

  private static long unsigned(int offset) {
    return offset & 0xffff_ffffL;
  }
}
