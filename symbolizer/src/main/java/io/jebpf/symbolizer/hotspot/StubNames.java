package io.jebpf.symbolizer.hotspot;

import io.jebpf.symbolizer.IdentityCache;
import java.util.Arrays;

/**
 * Names of code that the JVM generates for itself. A blob has one name; the big ones that hold many
 * stubs are divided by the list of {@code StubCodeDesc}, where libjvm has its symbol table.
 *
 * <p>Owner: the reader thread.
 */
final class StubNames {
  private static final int DESCS_MAX = 16_384; // 25 has 161

  /** StubCodeDesc: next 0, group 8, name 16, begin 24, end 32 (17 to 28). */
  private static final int DESC_BYTES = 40;

  private static final int NAMES_MAX = 1024;

  private record Stub(long begin, long end, String name) {}

  private final TargetMemory memory;
  private final LibjvmImage libjvm;
  private final IdentityCache<String> blobNames = new IdentityCache<>(NAMES_MAX);
  private Stub[] stubs = new Stub[0];
  private long listHead;

  StubNames(TargetMemory memory, LibjvmImage libjvm) {
    this.memory = memory;
    this.libjvm = libjvm;
  }

  /** Name for the code at {@code pc} in {@code blob}; empty when the blob's name is unreadable. */
  String nameOf(Blobs.Blob blob, long pc) {
    String blobName = blobNames.get(blob.name(), 0, "");
    if (blobName.isEmpty()) {
      blobName = new StringReader(memory).at(blob.name());
      if (blobName.isEmpty()) {
        return "";
      }
      blobNames.put(blob.name(), 0, blobName);
    }
    if (blobName.startsWith("StubRoutines") || blobName.startsWith("Stub Generator")) {
      String stub = stubAt(pc);
      return stub.isEmpty() ? "StubRoutines" : "StubRoutines::" + stub;
    }
    return switch (blobName) {
      case "vtable chunks" -> "vtable stub";
      case "I2C/C2I adapters" -> "I2C/C2I adapter";
      case "MethodHandles adapters" -> "MethodHandles adapter";
      default -> blobName;
    };
  }

  private String stubAt(long pc) {
    String name = find(pc);
    return name.isEmpty() && refresh() ? find(pc) : name;
  }

  private String find(long pc) {
    int low = 0;
    int high = stubs.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (stubs[middle].end <= pc) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < stubs.length && stubs[low].begin <= pc ? stubs[low].name : "";
  }

  /** Reads the list again if it has grown: new descriptions are put in front. */
  private boolean refresh() {
    long list = libjvm.address(LibjvmNames.STUB_LIST).orElse(0);
    memory.begin();
    long head = memory.pointer(list);
    if (!memory.ok() || head == listHead) {
      return false;
    }
    listHead = head;
    StringReader strings = new StringReader(memory);
    byte[] desc = new byte[DESC_BYTES];
    Stub[] found = new Stub[DESCS_MAX];
    int count = 0;
    for (long at = head; at != 0 && count < DESCS_MAX; at = Bytes.i64(desc, 0)) {
      if (!memory.bytes(at, desc, 0, DESC_BYTES)) {
        break;
      }
      long begin = Bytes.i64(desc, 24);
      long end = Bytes.i64(desc, 32);
      String name = strings.at(Bytes.i64(desc, 16));
      if (begin != 0 && begin < end && !name.isEmpty()) {
        found[count++] = new Stub(begin, end, name);
      }
    }
    stubs = Arrays.copyOf(found, count);
    Arrays.sort(stubs, (a, b) -> Long.compareUnsigned(a.end, b.end));
    return true;
  }
}
