package io.jebpf.symbolizer.hotspot;

import io.jebpf.symbolizer.ProcessMemory;

/** Opens a JVM or fails the test with the cause. */
final class Opened {
  private Opened() {}

  static HotspotVm vm(ProcessMemory memory, LibjvmImage libjvm) {
    return switch (HotspotVm.open(memory, libjvm)) {
      case HotspotVm.Opening.Opened opened -> opened.vm();
      case HotspotVm.Opening.Unavailable unavailable ->
          throw new AssertionError(unavailable.cause());
    };
  }
}
