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
  private static final String SWITCHED_ON = "on, switched on by the agent";

  private DebugInfo() {}

  /** Outcome, for people: the MBean shows it. */
  static String switchOn(HotspotVm vm, ProcessMemory memory) {
    Optional<JvmFlag> found = vm.debugNonSafepoints();
    if (found.isEmpty()) {
      return "off: this JVM has no such flag";
    }
    // The byte as it is now: what the table said when the JVM was read may be out of date.
    byte[] value = new byte[1];
    if (!memory.read(found.get().address(), value, 0, 1)) {
      return "off: its byte cannot be read";
    }
    return switch (value[0]) {
      case 1 -> "on already";
      case 0 -> store(found.get(), memory, (byte) 1);
      default -> "off: its byte holds " + value[0] + ", not 0";
    };
  }

  /** Puts the flag back when it was {@link #switchOn} that changed it. */
  static void restore(String outcome, HotspotVm vm, ProcessMemory memory) {
    if (outcome.equals(SWITCHED_ON)) {
      vm.debugNonSafepoints().ifPresent(flag -> store(flag, memory, (byte) 0));
    }
  }

  private static String store(JvmFlag flag, ProcessMemory memory, byte wanted) {
    try (RandomAccessFile own = new RandomAccessFile("/proc/self/mem", "rw")) {
      own.seek(flag.address());
      own.write(wanted);
    } catch (IOException e) {
      return "off: /proc/self/mem: " + e.getMessage();
    }
    byte[] value = new byte[1];
    boolean stored = memory.read(flag.address(), value, 0, 1) && value[0] == wanted;
    return stored ? SWITCHED_ON : "off: the store had no effect";
  }
}
