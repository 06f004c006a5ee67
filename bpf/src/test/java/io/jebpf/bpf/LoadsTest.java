package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class LoadsTest {
  /** A part of every glibc that no program needs. */
  private static final String LIBRARY = "libBrokenLocale.so.1";

  @Test
  void eachLibraryThatComesOrGoesChangesTheCount() {
    NativeRuntime runtime = Kernel.runtime();
    long before = runtime.loads();
    assertTrue(before > 0);
    assertEquals(before, runtime.loads());
    long library = Libdl.open(LIBRARY);
    assertNotEquals(0, library);
    long loaded = runtime.loads();
    assertTrue(loaded > before);
    Libdl.close(library);
    assertTrue(runtime.loads() > loaded);
  }
}
