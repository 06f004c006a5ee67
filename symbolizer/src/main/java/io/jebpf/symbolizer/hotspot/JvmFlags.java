package io.jebpf.symbolizer.hotspot;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The JVM's table of flags ({@code JVMFlag::flags}). */
final class JvmFlags {
  private static final int FLAGS_MAX = 10_000; // 25 has about 1,000

  private JvmFlags() {}

  /** Addresses of those of {@code names} that this JVM has. */
  static Map<String, Long> addresses(TargetMemory memory, VmStructs structs, Set<String> names) {
    memory.begin();
    long flags = memory.pointer(structs.staticAddress("JVMFlag::flags"));
    long count = memory.i64(structs.staticAddress("JVMFlag::numFlags"));
    Slot name = structs.field("JVMFlag::_name");
    Slot address = structs.field("JVMFlag::_addr");
    int bytes = structs.size("JVMFlag");
    Map<String, Long> found = new HashMap<>();
    if (!memory.ok() || !name.present() || !address.present() || bytes == 0) {
      return found;
    }
    byte[] table = new byte[bytes * (int) Math.max(0, Math.min(count, FLAGS_MAX))];
    if (!memory.bytes(flags, table, 0, table.length)) {
      return found;
    }
    StringReader strings = new StringReader(memory);
    for (int at = 0; at + bytes <= table.length && found.size() < names.size(); at += bytes) {
      String text = strings.at(Bytes.value(table, at, name));
      if (names.contains(text)) {
        found.put(text, Bytes.i64(table, at + address.offset()));
      }
    }
    return found;
  }

  static Optional<JvmFlag> read(TargetMemory memory, Map<String, Long> addresses, String name) {
    long address = addresses.getOrDefault(name, 0L);
    memory.begin();
    boolean value = memory.u8(address) != 0;
    return memory.ok() ? Optional.of(new JvmFlag(address, value)) : Optional.empty();
  }
}
