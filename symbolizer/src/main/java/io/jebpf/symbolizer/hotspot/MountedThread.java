package io.jebpf.symbolizer.hotspot;

import java.util.OptionalInt;

/**
 * How the kernel finds the virtual thread that runs, and its name. Offsets in objects, in bytes;
 * {@link KernelKnobs#ABSENT} where this JVM does not tell: then that way is not gone.
 */
record MountedThread(
    int tid,
    int name,
    int stringValue,
    int stringCoder,
    int arrayLength,
    int arrayData,
    int continuation,
    int target,
    int objectHeader,
    long staleMask) {

  /** From this release on the elements of an array begin right behind its length. */
  private static final int PACKED_ARRAYS_SINCE = 23;

  private static final int LENGTH_BYTES = 4;

  static MountedThread find(
      FieldOffsets fields, VmStructs structs, TargetMemory memory, Oops.Encoding oops, int jdk) {
    memory.begin();
    long thread = memory.pointer(JavaThreads.klassAddress(structs, "Thread"));
    long string = memory.pointer(JavaThreads.klassAddress(structs, "String"));
    int lengthAt = oops.klassInMark() ? 8 : oops.narrowKlass() ? 12 : 16;
    int behind = lengthAt + LENGTH_BYTES;
    int dataAt = jdk >= PACKED_ARRAYS_SINCE || oops.klassInMark() ? behind : behind + 7 & -8;
    return new MountedThread(
        knob(fields.of(thread, "tid", LibjvmNames.THREAD_TID_OFFSET)),
        knob(fields.of(thread, "name", LibjvmNames.THREAD_NAME_OFFSET)),
        knob(fields.of(string, "value", LibjvmNames.STRING_VALUE_OFFSET)),
        knob(fields.of(string, "coder", LibjvmNames.STRING_CODER_OFFSET)),
        lengthAt,
        dataAt,
        knob(fields.bySymbol(LibjvmNames.VIRTUAL_CONTINUATION_OFFSET)),
        knob(fields.bySymbol(LibjvmNames.CONT_TARGET_OFFSET)),
        lengthAt, // of an object without fields: its length would be the first
        staleMask(structs, memory));
  }

  /** Where ZGC keeps the mask of references that were not loaded since it began to move objects. */
  private static long staleMask(VmStructs structs, TargetMemory memory) {
    long globals = structs.staticAddress("ZGlobalsForVMStructs::_instance_p");
    Slot mask = structs.field("ZGlobalsForVMStructs::_ZPointerLoadBadMask");
    memory.begin();
    long address = globals == 0 ? 0 : memory.pointer(globals);
    long found = mask.present() ? memory.pointer(address + mask.offset()) : 0;
    return memory.ok() && TargetMemory.plausible(found) ? found : 0;
  }

  private static int knob(OptionalInt offset) {
    return offset.orElse(KernelKnobs.ABSENT);
  }

  void write(KnobSink sink) {
    sink.knob("java_thread_tid", tid);
    sink.knob("java_thread_name", name);
    sink.knob("string_value", stringValue);
    sink.knob("string_coder", stringCoder);
    sink.knob("array_length", arrayLength);
    sink.knob("array_data", arrayData);
    sink.knob("virtual_continuation", continuation);
    sink.knob("cont_target", target);
    sink.knob("object_header", objectHeader);
    sink.knob("stale_mask", staleMask);
  }
}
