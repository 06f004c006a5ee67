package io.jebpf.agent.engine;

import io.jebpf.symbolizer.ProcessMemory;
import io.jebpf.symbolizer.hotspot.HotspotVm;
import io.jebpf.symbolizer.hotspot.JvmFlag;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.Optional;

/**
 * Switches on the JVM's flag DebugNonSafepoints, which makes compiled code say for each instruction
 * and not only at calls which line and inlined method it belongs to. Code compiled before keeps its
 * coarse information.
 *
 * <p>The flag is diagnostic, so HotSpotDiagnosticMXBean refuses it. Its one byte is found by the
 * name in the JVM's own table of flags, compared, and stored through {@code /proc/self/mem}: a
 * wrong address is an error there and not a crash. What was stored is read back.
 */
final class DebugInfo {
  private DebugInfo() {}

  /** Outcome, for people: the MBean shows it. */
  static String switchOn(HotspotVm vm, ProcessMemory memory) {
    Optional<JvmFlag> found = vm.debugNonSafepoints();
    if (found.isEmpty()) {
      return "off: this JVM has no such flag";
    }
    JvmFlag flag = found.get();
    if (flag.value()) {
      return "on already";
    }
    byte[] value = new byte[1];
    if (!memory.read(flag.address(), value, 0, 1) || value[0] != 0) {
      return "off: its byte holds " + value[0] + ", not 0";
    }
    try (RandomAccessFile own = new RandomAccessFile("/proc/self/mem", "rw")) {
      own.seek(flag.address());
      own.write(1);
    } catch (IOException e) {
      return "off: /proc/self/mem: " + e.getMessage();
    }
    boolean stored = memory.read(flag.address(), value, 0, 1) && value[0] == 1;
    return stored ? "on, switched on by the agent" : "off: the store had no effect";
  }
}
