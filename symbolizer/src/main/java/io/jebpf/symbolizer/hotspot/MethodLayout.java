package io.jebpf.symbolizer.hotspot;

/** Method, ConstMethod, ConstantPool, Symbol and Klass, as far as names and lines need them. */
record MethodLayout(
    Slot constMethod,
    Slot accessFlags,
    int constMethodBytes,
    Slot constants,
    Slot codeSize,
    Slot nameIndex,
    Slot flags,
    int lineTableFlag,
    boolean zeroIsFree,
    int constantPoolBytes,
    Slot poolLength,
    Slot poolHolder,
    Slot sourceFileIndex,
    Slot symbolLength,
    int symbolBody,
    Slot klassName,
    Slot klassSuper) {

  static MethodLayout of(VmStructs structs, int jdkMajor) {
    Slot body = structs.field("Symbol::_body[0]", "Symbol::_body");
    return new MethodLayout(
        structs.field("Method::_constMethod"),
        structs.field("Method::_access_flags"),
        structs.size("ConstMethod"),
        structs.field("ConstMethod::_constants"),
        structs.field("ConstMethod::_code_size"),
        structs.field("ConstMethod::_name_index"),
        structs.field("ConstMethod::_flags._flags", "ConstMethod::_flags"),
        structs
            .constant("ConstMethodFlags::_misc_has_linenumber_table")
            .orElse(structs.constant("ConstMethod::_has_linenumber_table").orElse(1)),
        zeroIsFree(structs, jdkMajor),
        structs.size("ConstantPool"),
        structs.field("ConstantPool::_length"),
        structs.field("ConstantPool::_pool_holder"),
        structs.field("ConstantPool::_source_file_name_index"),
        structs.field("Symbol::_length"),
        body.present() ? body.offset() : 0,
        structs.field("Klass::_name"),
        structs.field("Klass::_super"));
  }

  boolean usable() {
    return constMethod.present()
        && constMethodBytes > 0
        && constants.present()
        && nameIndex.present()
        && constantPoolBytes > 0
        && poolHolder.present()
        && symbolLength.present()
        && symbolBody > 0
        && klassName.present();
  }

  /** UNSIGNED5 leaves byte 0 free from JDK 20 on (JDK-8292758); the tables do not say so. */
  private static boolean zeroIsFree(VmStructs structs, int jdkMajor) {
    return jdkMajor != 0
        ? jdkMajor >= 20
        : structs.field("InstanceKlass::_fieldinfo_stream").present(); // 21 and later
  }
}
