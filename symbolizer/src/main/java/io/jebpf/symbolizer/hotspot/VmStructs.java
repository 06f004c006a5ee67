package io.jebpf.symbolizer.hotspot;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The tables by which libjvm describes its own structures ({@code gHotSpotVMStructs} and its three
 * siblings). Entries come and go between releases: every one is optional, and what is missing is
 * {@link Slot#ABSENT}, address 0, size 0 or empty. About 250 KB. Immutable.
 */
final class VmStructs {
  /** Lines in one table; the largest seen (21) has 2,064 in all four together. */
  private static final int LINES_MAX = 20_000;

  private static final int STRIDE_MAX = 256;

  private final Map<String, Field> fields = new HashMap<>();
  private final Map<String, Type> types = new HashMap<>();
  private final Map<String, Long> constants = new HashMap<>();

  /** One line of the fields table. {@code place}: offset, or address when static. */
  private record Field(String type, boolean isStatic, long place) {}

  private record Type(long bytes, boolean isUnsigned) {}

  private VmStructs() {}

  /** Empty when the tables are not there or not readable (yet). */
  static Optional<VmStructs> read(TargetMemory memory, LibjvmImage libjvm) {
    VmStructs structs = new VmStructs();
    TableReader tables = new TableReader(memory, libjvm, new StringReader(memory));
    boolean complete =
        tables.each(
                LibjvmNames.STRUCTS,
                LibjvmNames.STRUCT_ENTRY,
                LibjvmNames.TYPE_NAME,
                row ->
                    structs.fields.put(
                        row.text(LibjvmNames.TYPE_NAME) + "::" + row.text(LibjvmNames.FIELD_NAME),
                        new Field(
                            row.text(LibjvmNames.TYPE_STRING),
                            row.i32(LibjvmNames.IS_STATIC) != 0,
                            row.i32(LibjvmNames.IS_STATIC) != 0
                                ? row.i64(LibjvmNames.ADDRESS)
                                : row.i64(LibjvmNames.OFFSET))))
            && tables.each(
                LibjvmNames.TYPES,
                LibjvmNames.TYPE_ENTRY,
                LibjvmNames.TYPE_NAME,
                row ->
                    structs.types.put(
                        row.text(LibjvmNames.TYPE_NAME),
                        new Type(row.i64(LibjvmNames.SIZE), row.i32(LibjvmNames.IS_UNSIGNED) != 0)))
            && tables.each(
                LibjvmNames.INT_CONSTANTS,
                LibjvmNames.INT_CONSTANT_ENTRY,
                LibjvmNames.NAME,
                row ->
                    structs.constants.put(
                        row.text(LibjvmNames.NAME), (long) row.i32(LibjvmNames.VALUE)))
            && tables.each(
                LibjvmNames.LONG_CONSTANTS,
                LibjvmNames.LONG_CONSTANT_ENTRY,
                LibjvmNames.NAME,
                row ->
                    structs.constants.put(row.text(LibjvmNames.NAME), row.i64(LibjvmNames.VALUE)));
    return complete && !structs.fields.isEmpty() ? Optional.of(structs) : Optional.empty();
  }

  /** The first of {@code names} ({@code Type::_field}) that exists as an instance field. */
  Slot field(String... names) {
    for (String name : names) {
      Field field = fields.get(name);
      if (field != null && !field.isStatic && field.place >= 0 && field.place < 0xffff) {
        return slot((int) field.place, field.type);
      }
    }
    return Slot.ABSENT;
  }

  /** Address of the first of {@code names} that exists as a static field; 0 when none does. */
  long staticAddress(String... names) {
    for (String name : names) {
      Field field = fields.get(name);
      if (field != null && field.isStatic) {
        return field.place;
      }
    }
    return 0;
  }

  /** Bytes of a type; 0 when it is not described. */
  int size(String type) {
    Type known = types.get(type);
    return known != null && known.bytes > 0 && known.bytes < 0xffff ? (int) known.bytes : 0;
  }

  OptionalInt constant(String name) {
    Long value = constants.get(name);
    return value == null ? OptionalInt.empty() : OptionalInt.of(value.intValue());
  }

  /**
   * Width and sign from the declared type: {@code _frame_complete_offset} is an int up to 22 and an
   * int16_t later. An embedded structure keeps its offset and reads as a pointer-sized word.
   */
  private Slot slot(int offset, String declared) {
    String type = declared.replace("volatile", "").replace("const", "").trim();
    if (type.endsWith("*")) {
      return Slot.pointer(offset);
    }
    Type known = types.get(type);
    if (known != null && (known.bytes == 1 || known.bytes == 2 || known.bytes == 4)) {
      return new Slot(offset, (int) known.bytes, !known.isUnsigned);
    }
    return switch (type) {
      case "int", "int32_t", "jint" -> Slot.i32(offset);
      case "int16_t", "short", "jshort" -> new Slot(offset, 2, true);
      case "u2", "uint16_t", "jushort" -> new Slot(offset, 2, false);
      case "u1", "uint8_t", "jubyte", "bool" -> new Slot(offset, 1, false);
      case "int8_t", "signed char" -> new Slot(offset, 1, true);
      case "u4", "uint32_t", "juint", "uint" -> new Slot(offset, 4, false);
      default -> Slot.pointer(offset);
    };
  }

  /** Walks one table; strides and offsets are themselves exported, so none is assumed. */
  private record TableReader(TargetMemory memory, LibjvmImage libjvm, StringReader strings) {
    interface RowHandler {
      void row(Row row);
    }

    /** False when a symbol is missing or memory is unreadable: then the tables cannot be used. */
    boolean each(String table, String entry, String keyColumn, RowHandler handler) {
      memory.begin();
      long at = exported(table);
      long stride = exported(LibjvmNames.stride(entry));
      if (!memory.ok() || stride <= 0 || stride > STRIDE_MAX) {
        return false;
      }
      Map<String, Integer> columns = new HashMap<>();
      byte[] line = new byte[(int) stride];
      for (int i = 0; i < LINES_MAX; i++, at += stride) {
        if (!memory.bytes(at, line, 0, line.length)) {
          return false;
        }
        Row row = new Row(this, entry, columns, line);
        if (row.i64(keyColumn) == 0) {
          return true;
        }
        handler.row(row);
      }
      return false;
    }

    /** The 8 bytes at an exported symbol; each `gHotSpot...` symbol is such a variable. */
    long exported(String symbol) {
      return memory.i64(libjvm.address(symbol).orElse(0));
    }
  }

  private record Row(TableReader reader, String entry, Map<String, Integer> columns, byte[] line) {

    long i64(String column) {
      int at = column(column);
      return at >= 0 && at + 8 <= line.length ? Bytes.i64(line, at) : 0;
    }

    int i32(String column) {
      int at = column(column);
      return at >= 0 && at + 4 <= line.length ? Bytes.i32(line, at) : 0;
    }

    String text(String column) {
      return reader.strings.at(i64(column));
    }

    private int column(String name) {
      return columns.computeIfAbsent(
          name,
          column -> {
            String symbol = LibjvmNames.offset(entry, column);
            return reader.libjvm.address(symbol).isPresent() ? (int) reader.exported(symbol) : -1;
          });
    }
  }
}
