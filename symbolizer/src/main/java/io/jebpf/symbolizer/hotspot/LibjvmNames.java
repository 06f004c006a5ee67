package io.jebpf.symbolizer.hotspot;

import java.util.ArrayList;
import java.util.List;

/**
 * Every symbol of libjvm that this package asks for. The exported ones describe the JVM; the C++
 * ones are optional and only there when the library is not stripped.
 */
final class LibjvmNames {
  static final String CURRENT_THREAD = "_ZN6Thread12_thr_currentE";
  static final String STUB_LIST = "_ZN12StubCodeDesc5_listE";
  static final String CONT_BARRIER = "_ZN12StubRoutines19_cont_returnBarrierE";
  static final String CONT_BARRIER_EXC = "_ZN12StubRoutines22_cont_returnBarrierExcE";
  static final String CODE_EPOCH = "_ZN9CodeCache9_gc_epochE";
  static final String CONT_RETURN_PC = "_ZN17ContinuationEntry10_return_pcE";
  static final String THREAD_NAME_OFFSET = "_ZN16java_lang_Thread12_name_offsetE";
  static final String STRING_VALUE_OFFSET = "_ZN16java_lang_String13_value_offsetE";
  static final String STRING_CODER_OFFSET = "_ZN16java_lang_String13_coder_offsetE";

  static final String THREAD_EETOP_OFFSET = "_ZN16java_lang_Thread13_eetop_offsetE";
  static final String THREAD_TID_OFFSET = "_ZN16java_lang_Thread11_tid_offsetE";
  static final String VIRTUAL_CONTINUATION_OFFSET =
      "_ZN23java_lang_VirtualThread20_continuation_offsetE";
  static final String CONT_TARGET_OFFSET = "_ZN28jdk_internal_vm_Continuation14_target_offsetE";
  static final String CONT_TAIL_OFFSET = "_ZN28jdk_internal_vm_Continuation12_tail_offsetE";
  static final String CHUNK_PARENT_OFFSET = "_ZN26jdk_internal_vm_StackChunk14_parent_offsetE";
  static final String CHUNK_SP_OFFSET = "_ZN26jdk_internal_vm_StackChunk10_sp_offsetE";
  static final String CHUNK_MAX_THAWING_OFFSET =
      "_ZN26jdk_internal_vm_StackChunk22_maxThawingSize_offsetE";

  /** Moves a chunk's stack pointer, and its maximal size a few instructions later (21 to 28). */
  static final String FINALIZE_THAW = "_ZN8ThawBase13finalize_thawER5framei";

  static final String ADDRESS_FIELD_PUT = "_ZN7oopDesc17address_field_putEiPh";
  static final String CHUNK_PC_OFFSET = "_ZN26jdk_internal_vm_StackChunk10_pc_offsetE";
  static final String CHUNK_BOTTOM_OFFSET = "_ZN26jdk_internal_vm_StackChunk14_bottom_offsetE";
  static final String CHUNK_STACK_OFFSET = "_ZN23InstanceStackChunkKlass16_offset_of_stackE";

  /** Counters of OutOfMemoryErrors, for crash reports (JDK 17 to 28, exceptions.cpp). */
  static final List<String> OUT_OF_MEMORY =
      List.of(
          "_ZN10Exceptions37_out_of_memory_error_java_heap_errorsE",
          "_ZN10Exceptions37_out_of_memory_error_metaspace_errorsE",
          "_ZN10Exceptions43_out_of_memory_error_class_metaspace_errorsE");

  static final String STRUCTS = "gHotSpotVMStructs";
  static final String STRUCT_ENTRY = "gHotSpotVMStructEntry";
  static final String TYPES = "gHotSpotVMTypes";
  static final String TYPE_ENTRY = "gHotSpotVMTypeEntry";
  static final String INT_CONSTANTS = "gHotSpotVMIntConstants";
  static final String INT_CONSTANT_ENTRY = "gHotSpotVMIntConstantEntry";
  static final String LONG_CONSTANTS = "gHotSpotVMLongConstants";
  static final String LONG_CONSTANT_ENTRY = "gHotSpotVMLongConstantEntry";

  static final String TYPE_NAME = "TypeName";
  static final String FIELD_NAME = "FieldName";
  static final String TYPE_STRING = "TypeString";
  static final String IS_STATIC = "IsStatic";
  static final String OFFSET = "Offset";
  static final String ADDRESS = "Address";
  static final String SIZE = "Size";
  static final String IS_UNSIGNED = "IsUnsigned";
  static final String NAME = "Name";
  static final String VALUE = "Value";

  private LibjvmNames() {}

  static String stride(String entry) {
    return entry + "ArrayStride";
  }

  static String offset(String entry, String column) {
    return entry + column + "Offset";
  }

  static List<String> all() {
    List<String> names =
        new ArrayList<>(
            List.of(
                CURRENT_THREAD,
                STUB_LIST,
                CONT_BARRIER,
                CONT_BARRIER_EXC,
                CODE_EPOCH,
                CONT_RETURN_PC,
                THREAD_NAME_OFFSET,
                STRING_VALUE_OFFSET,
                STRING_CODER_OFFSET,
                THREAD_TID_OFFSET,
                THREAD_EETOP_OFFSET,
                VIRTUAL_CONTINUATION_OFFSET,
                CONT_TARGET_OFFSET,
                CONT_TAIL_OFFSET,
                CHUNK_PARENT_OFFSET,
                CHUNK_SP_OFFSET,
                CHUNK_PC_OFFSET,
                CHUNK_MAX_THAWING_OFFSET,
                CHUNK_BOTTOM_OFFSET,
                CHUNK_STACK_OFFSET,
                FINALIZE_THAW,
                ADDRESS_FIELD_PUT,
                STRUCTS,
                TYPES,
                INT_CONSTANTS,
                LONG_CONSTANTS));
    names.addAll(OUT_OF_MEMORY);
    table(names, STRUCT_ENTRY, TYPE_NAME, FIELD_NAME, TYPE_STRING, IS_STATIC, OFFSET, ADDRESS);
    table(names, TYPE_ENTRY, TYPE_NAME, SIZE, IS_UNSIGNED);
    table(names, INT_CONSTANT_ENTRY, NAME, VALUE);
    table(names, LONG_CONSTANT_ENTRY, NAME, VALUE);
    return names;
  }

  private static void table(List<String> names, String entry, String... columns) {
    names.add(stride(entry));
    for (String column : columns) {
      names.add(offset(entry, column));
    }
  }
}
