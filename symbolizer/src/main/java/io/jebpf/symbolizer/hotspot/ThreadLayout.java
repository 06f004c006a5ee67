package io.jebpf.symbolizer.hotspot;

/** JavaThread and what hangs on it. */
record ThreadLayout(
    Slot anchorSp,
    Slot anchorPc,
    Slot anchorFp,
    Slot state,
    Slot osthread,
    Slot osthreadId,
    Slot vframeArrayHead,
    Slot savedExceptionPc,
    Slot contEntry,
    Slot contEntryParent,
    Slot threadObj,
    Slot vthread,
    Slot wrapperAnchor,
    Slot listLength,
    Slot listThreads,
    Slot fieldInfoStream,
    Slot fieldsArray,
    Slot javaFieldsCount,
    int markKlassShift) {

  /** ContinuationEntry::_parent where it is not exported (21 to 25). */
  private static final int CONT_ENTRY_PARENT = 8;

  static ThreadLayout of(VmStructs structs) {
    Slot anchor = structs.field("JavaThread::_anchor");
    Slot id = structs.field("OSThread::_thread_id");
    Slot parent = structs.field("ContinuationEntry::_parent");
    // 21 has virtual threads, but does not describe the entry
    boolean continuations =
        structs.size("ContinuationEntry") > 0 || structs.field("JavaThread::_vthread").present();
    return new ThreadLayout(
        anchored(structs, anchor, "_last_Java_sp"),
        anchored(structs, anchor, "_last_Java_pc"),
        anchored(structs, anchor, "_last_Java_fp"),
        structs.field("JavaThread::_thread_state"),
        structs.field("Thread::_osthread", "JavaThread::_osthread"),
        id.present() ? Slot.i32(id.offset()) : Slot.ABSENT, // its typedef has changed names
        structs.field("JavaThread::_vframe_array_head"),
        structs.field("JavaThread::_saved_exception_pc"),
        structs.field("JavaThread::_cont_entry"),
        parent.present() || !continuations ? parent : Slot.pointer(CONT_ENTRY_PARENT),
        structs.field("JavaThread::_threadObj"),
        structs.field("JavaThread::_vthread"),
        structs.field("JavaCallWrapper::_anchor"),
        structs.field("ThreadsList::_length"),
        structs.field("ThreadsList::_threads"),
        structs.field("InstanceKlass::_fieldinfo_stream"),
        structs.field("InstanceKlass::_fields"),
        structs.field("InstanceKlass::_java_fields_count"),
        structs.constant("markWord::klass_shift").orElse(0));
  }

  private static Slot anchored(VmStructs structs, Slot anchor, String field) {
    Slot inAnchor = structs.field("JavaFrameAnchor::" + field);
    return anchor.present() ? inAnchor.shifted(anchor.offset()) : Slot.ABSENT;
  }
}
