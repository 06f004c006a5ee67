package io.jebpf.symbolizer.hotspot;

import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Offsets of Java fields: from libjvm's own variables where it has its symbol table, else from the
 * class's field descriptions.
 *
 * <pre>
 *   up to 20: Array&lt;u2&gt;, six per field: access, name, signature, initial value, low, high;
 *             offset = (high &lt;&lt; 16 | low) >> 2
 *   from 21:  UNSIGNED5 stream: fields, injected fields, then per field name, signature, offset,
 *             access, flags [, initial value if flags &amp; 1][, generic signature if &amp; 4]
 *             [, contention group if &amp; 16]
 * </pre>
 */
final class FieldOffsets {
  private static final int FIELDS_MAX = 4096;
  private static final int STREAM_BYTES_MAX = 1 << 16;
  private static final int SHORTS_PER_FIELD = 6;
  private static final int ARRAY_DATA = 4;
  private static final int FLAG_INITIALISED = 1;
  private static final int FLAG_GENERIC = 4;
  private static final int FLAG_CONTENDED = 16;

  private final TargetMemory memory;
  private final LibjvmImage libjvm;
  private final HotspotLayout layout;
  private final Slot constants;
  private final Symbols symbols;

  FieldOffsets(TargetMemory memory, LibjvmImage libjvm, HotspotLayout layout, VmStructs structs) {
    this.memory = memory;
    this.libjvm = libjvm;
    this.layout = layout;
    this.constants = structs.field("InstanceKlass::_constants");
    this.symbols = new Symbols(memory, layout.method());
  }

  /** {@code klass} declares the field; {@code symbol} is libjvm's variable with its offset. */
  OptionalInt of(long klass, String field, String symbol) {
    OptionalInt bySymbol = bySymbol(symbol);
    return bySymbol.isPresent() ? bySymbol : byDescription(klass, field);
  }

  OptionalInt bySymbol(String symbol) {
    OptionalLong address = libjvm.address(symbol);
    memory.begin();
    int offset = address.isPresent() ? memory.i32(address.getAsLong()) : 0;
    return memory.ok() && offset > 0 && offset < 0xffff
        ? OptionalInt.of(offset)
        : OptionalInt.empty();
  }

  OptionalInt byDescription(long klass, String field) {
    memory.begin();
    boolean stream = layout.thread().fieldInfoStream().present();
    Slot slot = stream ? layout.thread().fieldInfoStream() : layout.thread().fieldsArray();
    long array = memory.value(klass, slot);
    long pool = memory.value(klass, constants);
    int length = memory.i32(array);
    if (!memory.ok() || length <= 0 || length > STREAM_BYTES_MAX) {
      return OptionalInt.empty();
    }
    byte[] data = new byte[stream ? length : 2 * length];
    if (!memory.bytes(array + ARRAY_DATA, data, 0, data.length)) {
      return OptionalInt.empty();
    }
    return stream
        ? inStream(new Unsigned5(data, 0, data.length, true), pool, field)
        : inArray(data, (int) memory.value(klass, layout.thread().javaFieldsCount()), pool, field);
  }

  private OptionalInt inStream(Unsigned5 in, long pool, String field) {
    int fields = in.next();
    in.next(); // injected fields follow the declared ones
    for (int i = 0; i < Math.min(fields, FIELDS_MAX) && in.ok(); i++) {
      int name = in.next();
      in.next();
      int offset = in.next();
      in.next();
      int flags = in.next();
      for (int optional : new int[] {FLAG_INITIALISED, FLAG_GENERIC, FLAG_CONTENDED}) {
        if ((flags & optional) != 0) {
          in.next();
        }
      }
      if (in.ok() && isNamed(pool, name, field)) {
        return OptionalInt.of(offset);
      }
    }
    return OptionalInt.empty();
  }

  private OptionalInt inArray(byte[] data, int fields, long pool, String field) {
    for (int i = 0; i < Math.min(fields, FIELDS_MAX); i++) {
      int at = 2 * SHORTS_PER_FIELD * i;
      if (at + 2 * SHORTS_PER_FIELD > data.length) {
        break;
      }
      if (isNamed(pool, Bytes.i16(data, at + 2) & 0xffff, field)) {
        return OptionalInt.of(Bytes.i32(data, at + 8) >>> 2); // low and high, side by side
      }
    }
    return OptionalInt.empty();
  }

  private boolean isNamed(long pool, int nameIndex, String field) {
    memory.begin();
    long entry = pool + layout.method().constantPoolBytes() + 8L * nameIndex;
    return symbols.at(memory.pointer(entry) & ~1L).equals(field) && memory.ok();
  }
}
