package io.jebpf.symbolizer.hotspot;

/** Values of {@code enum CodeBlobKind}, by name (28 renumbers them); {@link #ABSENT} before 25. */
record BlobKinds(
    int nmethod,
    int buffer,
    int adapter,
    int vtable,
    int methodHandleAdapter,
    int runtimeStub,
    int deoptimization,
    int safepoint,
    int exception,
    int uncommonTrap,
    int upcall) {

  /** As in the kernel's knobs (JEBPF_ABSENT). */
  static final int ABSENT = 0xffff;

  static BlobKinds of(VmStructs structs) {
    return new BlobKinds(
        number(structs, "Nmethod"),
        number(structs, "Buffer"),
        number(structs, "Adapter"),
        number(structs, "Vtable"),
        number(structs, "MHAdapter"),
        number(structs, "RuntimeStub"),
        number(structs, "Deoptimization"),
        number(structs, "Safepoint"),
        number(structs, "Exception"),
        number(structs, "UncommonTrap"),
        number(structs, "Upcall"));
  }

  boolean known() {
    return nmethod != ABSENT;
  }

  private static int number(VmStructs structs, String kind) {
    return structs.constant("CodeBlobKind::" + kind).orElse(ABSENT);
  }
}
