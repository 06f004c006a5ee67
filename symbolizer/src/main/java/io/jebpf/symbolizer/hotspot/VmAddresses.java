package io.jebpf.symbolizer.hotspot;

/** Values of libjvm's static variables that never change after start; 0 where not known. */
record VmAddresses(int jdkMajor, long codeLow, long codeHigh, long callStubReturn) {

  static VmAddresses of(TargetMemory memory, VmStructs structs) {
    long version = structs.staticAddress("Abstract_VM_Version::_vm_major_version");
    memory.begin();
    return new VmAddresses(
        version == 0 ? 0 : memory.i32(version),
        value(memory, structs, "CodeCache::_low_bound"),
        value(memory, structs, "CodeCache::_high_bound"),
        value(memory, structs, "StubRoutines::_call_stub_return_address"));
  }

  private static long value(TargetMemory memory, VmStructs structs, String field) {
    long address = structs.staticAddress(field);
    return address == 0 ? 0 : memory.pointer(address);
  }
}
