package io.jebpf.symbolizer.hotspot;

/** All offsets of one JVM, taken from its vmStructs once. {@code jdkMajor} 0: not said. */
record HotspotLayout(
    BlobLayout blob, NmethodLayout nmethod, MethodLayout method, ThreadLayout thread) {

  static HotspotLayout of(VmStructs structs, int jdkMajor) {
    return new HotspotLayout(
        BlobLayout.of(structs),
        NmethodLayout.of(structs),
        MethodLayout.of(structs, jdkMajor),
        ThreadLayout.of(structs));
  }
}
