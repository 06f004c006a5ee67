package io.jebpf.symbolizer.hotspot;

import java.util.ArrayList;
import java.util.List;

/**
 * The template interpreter: one buffer of codelets, generated once at start and never changed.
 *
 * <pre>
 *   StubQueue.stubBuffer: [InterpreterCodelet header | code] [header | code] ... up to queueEnd
 * </pre>
 */
record Interpreter(long low, long high, List<Codelet> codelets) {
  private static final int BUFFER_BYTES_MAX = 1 << 24;
  private static final int CODELETS_MAX = 4096;
  static final Interpreter NONE = new Interpreter(0, 0, List.of());

  /** {@code start}: first byte after the header. {@code bytecode} -1: not a single bytecode. */
  record Codelet(long start, int bytes, String description, int bytecode) {
    /** Entry of an interpreted method: the caller's return address is found by position. */
    boolean isMethodEntry() {
      return description.contains("entry point (kind");
    }
  }

  Interpreter {
    codelets = List.copyOf(codelets);
  }

  static Interpreter read(TargetMemory memory, VmStructs structs) {
    memory.begin();
    long queue = memory.pointer(structs.staticAddress("AbstractInterpreter::_code"));
    long buffer = memory.value(queue, structs.field("StubQueue::_stub_buffer"));
    long limit = memory.value(queue, structs.field("StubQueue::_buffer_limit"));
    Slot endSlot = structs.field("StubQueue::_queue_end");
    long end = endSlot.present() ? memory.value(queue, endSlot) : limit;
    if (!memory.ok()
        || !TargetMemory.plausible(buffer)
        || limit <= 0
        || limit > BUFFER_BYTES_MAX
        || end > limit) {
      return NONE;
    }
    return new Interpreter(buffer, buffer + limit, codelets(memory, structs, buffer, buffer + end));
  }

  private static List<Codelet> codelets(
      TargetMemory memory, VmStructs structs, long from, long to) {
    StringReader strings = new StringReader(memory);
    Slot size = structs.field("InterpreterCodelet::_size");
    Slot description = structs.field("InterpreterCodelet::_description");
    Slot bytecode = structs.field("InterpreterCodelet::_bytecode");
    int headerBytes = structs.size("InterpreterCodelet");
    List<Codelet> codelets = new ArrayList<>();
    if (!size.present() || !description.present() || headerBytes == 0) {
      return codelets;
    }
    for (long at = from; at < to && codelets.size() < CODELETS_MAX; ) {
      memory.begin();
      long bytes = memory.value(at, size);
      long text = memory.value(at, description);
      int code = bytecode.present() ? memory.i32(at + bytecode.offset()) : -1;
      if (!memory.ok() || bytes <= headerBytes || bytes > to - at) {
        break;
      }
      codelets.add(
          new Codelet(at + headerBytes, (int) bytes - headerBytes, strings.at(text), code));
      at += bytes;
    }
    return codelets;
  }

  boolean contains(long pc) {
    return pc >= low && pc < high;
  }

  /** What the code at {@code pc} does, few distinct texts: all bytecodes are one. */
  String nameAt(long pc) {
    int first = 0;
    int after = codelets.size();
    while (first < after) {
      int middle = (first + after) >>> 1;
      if (codelets.get(middle).start() + codelets.get(middle).bytes() <= pc) {
        first = middle + 1;
      } else {
        after = middle;
      }
    }
    if (first == codelets.size() || codelets.get(first).bytecode() >= 0) {
      return "Interpreter";
    }
    String text = codelets.get(first).description();
    int detail = text.indexOf(" (");
    return text.isEmpty()
        ? "Interpreter"
        : "Interpreter::" + (detail > 0 ? text.substring(0, detail) : text);
  }
}
