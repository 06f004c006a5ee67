package io.jebpf.bpf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The type information of a BPF object (Documentation/bpf/btf.rst at v6.1), as far as we ask:
 * structs with their fields, enums, and the variables of data sections. One thread at a time.
 *
 * <pre>
 *  header  u16 magic 0xeb9f, u8 version, u8 flags, u32 header length,
 *          u32 type offset, u32 type length, u32 string offset, u32 string length
 *  type    u32 name, u32 info (kind: bits 24..28, count: bits 0..15), u32 size or type,
 *          then what the kind brings
 * </pre>
 */
final class Btf {
  private static final int MAGIC = 0xeb9f;
  private static final int TYPES_MAX = 100_000;
  private static final int DEPTH_MAX = 32;

  private static final int INT = 1;
  private static final int POINTER = 2;
  private static final int ARRAY = 3;
  private static final int STRUCT = 4;
  private static final int UNION = 5;
  private static final int ENUM = 6;
  private static final int TYPEDEF = 8;
  private static final int VOLATILE = 9;
  private static final int CONST = 10;
  private static final int RESTRICT = 11;
  private static final int FUNCTION_PROTOTYPE = 13;
  private static final int VARIABLE = 14;
  private static final int DATA_SECTION = 15;
  private static final int DECLARATION_TAG = 17;
  private static final int TYPE_TAG = 18;
  private static final int ENUM64 = 19;

  /**
   * A field of a struct.
   *
   * @param bytes size of one element
   * @param elements 1 unless it is an array
   * @param type id of the element's type
   */
  record Field(String name, int offset, int bytes, int elements, int type) {}

  private record Type(String name, int kind, int count, int size, int at) {}

  private final ByteBuffer raw;
  private final int strings;
  private final List<Type> types = new ArrayList<>();
  private final Map<Integer, Map<String, Field>> byName = new HashMap<>();

  private Btf(ByteBuffer raw) {
    this.raw = raw;
    if (raw.capacity() < 24 || Short.toUnsignedInt(raw.getShort(0)) != MAGIC) {
      throw new IllegalArgumentException(
          "no BTF: " + raw.capacity() + " bytes without its magic number");
    }
    int header = raw.getInt(4);
    int at = header + raw.getInt(8);
    int end = at + raw.getInt(12);
    strings = header + raw.getInt(16);
    types.add(new Type("void", 0, 0, 0, 0));
    while (at < end && types.size() < TYPES_MAX) {
      int info = raw.getInt(at + 4);
      int kind = info >>> 24 & 0x1f;
      int count = info & 0xffff;
      types.add(new Type(string(raw.getInt(at)), kind, count, raw.getInt(at + 8), at + 12));
      at += 12 + extraBytes(kind, count);
    }
  }

  /** Throws IllegalArgumentException for bytes that are not BTF of this machine's byte order. */
  static Btf parse(byte[] bytes) {
    return new Btf(ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()));
  }

  private static int extraBytes(int kind, int count) {
    return switch (kind) {
      case INT, VARIABLE, DECLARATION_TAG -> 4;
      case ARRAY -> 12;
      case STRUCT, UNION, DATA_SECTION, ENUM64 -> 12 * count;
      case ENUM, FUNCTION_PROTOTYPE -> 8 * count;
      default -> 0;
    };
  }

  private String string(int offset) {
    int start = strings + offset;
    int end = start;
    while (raw.get(end) != 0) {
      end++;
    }
    byte[] bytes = new byte[end - start];
    raw.get(start, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Id of a struct by name; 0 when there is none. */
  int struct(String name) {
    for (int id = 1; id < types.size(); id++) {
      if (types.get(id).kind() == STRUCT && types.get(id).name().equals(name)) {
        return id;
      }
    }
    return 0;
  }

  /** Bytes of a type. */
  int size(int id) {
    return size(id, 0);
  }

  private int size(int id, int depth) {
    if (depth > DEPTH_MAX) {
      throw new IllegalArgumentException("BTF types nest deeper than " + DEPTH_MAX);
    }
    Type type = types.get(id);
    return switch (type.kind()) {
      case POINTER -> Long.BYTES;
      case ARRAY -> raw.getInt(type.at() + 8) * size(raw.getInt(type.at()), depth + 1);
      case TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG, VARIABLE -> size(type.size(), depth + 1);
      default -> type.size();
    };
  }

  /** Fields of a struct in their order. Bit fields have the offset of the byte they begin in. */
  List<Field> fields(int struct) {
    Type type = types.get(struct);
    List<Field> fields = new ArrayList<>();
    for (int i = 0; i < type.count(); i++) {
      int at = type.at() + 12 * i;
      int bits = raw.getInt(at + 8) & 0xffffff;
      fields.add(field(string(raw.getInt(at)), bits / 8, raw.getInt(at + 4)));
    }
    return fields;
  }

  private Field field(String name, int offset, int id) {
    Type type = types.get(id);
    if (type.kind() == ARRAY) {
      int element = raw.getInt(type.at());
      return new Field(name, offset, size(element), raw.getInt(type.at() + 8), element);
    }
    return new Field(name, offset, size(id), 1, id);
  }

  /** A field by name. */
  Optional<Field> field(int struct, String name) {
    Map<String, Field> fields = byName.get(struct);
    if (fields == null) {
      fields = new HashMap<>();
      for (Field field : fields(struct)) {
        fields.putIfAbsent(field.name(), field);
      }
      byName.put(struct, fields);
    }
    return Optional.ofNullable(fields.get(name));
  }

  boolean isStruct(int id) {
    return types.get(id).kind() == STRUCT;
  }

  /** Constants of an enum by their names; empty when there is no such enum. */
  Map<String, Integer> constants(String enumName) {
    Map<String, Integer> constants = new HashMap<>();
    for (Type type : types) {
      if (type.kind() == ENUM && type.name().equals(enumName)) {
        for (int i = 0; i < type.count(); i++) {
          int at = type.at() + 8 * i;
          constants.put(string(raw.getInt(at)), raw.getInt(at + 4));
        }
      }
    }
    return constants;
  }
}
