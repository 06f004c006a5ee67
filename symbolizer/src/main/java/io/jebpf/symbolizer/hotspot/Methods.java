package io.jebpf.symbolizer.hotspot;

import io.jebpf.symbolizer.IdentityCache;

/**
 * Names, files and lines of Java methods, from Method → ConstMethod → ConstantPool → Symbol.
 *
 * <p>Cached under (Method*, ConstMethod*). Both can be reused after class unloading and
 * redefinition, so each look-up reads the ConstMethod's header again and compares what tells it
 * from another ({@link #is}), and the symbol of its name.
 *
 * <p>Owner: the reader thread.
 */
final class Methods {
  private static final int ENTRIES_MAX = 4096;
  private static final int CONST_METHOD_BYTES_MAX = 512;
  private static final int POOL_ENTRIES_MAX = 65_536;
  private static final int LINE_TABLE_BYTES_FIRST = 256;
  private static final int LINE_TABLE_BYTES_MAX = 1 << 18;
  private static final int PAGE_BYTES = 4096;
  private static final int ACC_NATIVE = 0x0100;
  private static final long IDENTITY_MASK = (1L << 48) - 1;
  private static final long IDENTITY_MIX = 0x9E3779B97F4A7C15L; // IDENTITY_MIX of hotspot.bpf.h

  private final TargetMemory memory;
  private final MethodLayout layout;
  private final Symbols symbols;
  private final IdentityCache<MethodInfo> cache = new IdentityCache<>(ENTRIES_MAX);
  private final IdentityCache<String> files = new IdentityCache<>(ENTRIES_MAX);
  private final byte[] header;
  private byte[] lines = new byte[LINE_TABLE_BYTES_FIRST];

  Methods(TargetMemory memory, MethodLayout layout) {
    this.memory = memory;
    this.layout = layout;
    this.symbols = new Symbols(memory, layout);
    this.header = new byte[Math.min(layout.constMethodBytes(), CONST_METHOD_BYTES_MAX)];
  }

  /** {@link MethodInfo#NONE} when there is no method at that address. */
  MethodInfo at(long method) {
    return at(method, constMethodOf(method));
  }

  /** The ConstMethod* of a method; 0 when it cannot be read. */
  long constMethodOf(long method) {
    memory.begin();
    return memory.value(method, layout.constMethod());
  }

  /** Of a method that is there now; for tests. 0 when it cannot be read. */
  long identityOf(long method) {
    long constMethod = constMethodOf(method);
    return memory.bytes(constMethod, header, 0, header.length) ? identity(constMethod) : 0;
  }

  /** Whether a ConstMethod is the one that a sample saw. */
  boolean is(long constMethod, long identity) {
    memory.begin();
    return memory.bytes(constMethod, header, 0, header.length) && identity(constMethod) == identity;
  }

  /**
   * What tells the ConstMethod whose header was read last from another in its place, as {@code
   * method_identity} of hotspot.bpf.h mixes it: its address, its pool, three u2 from the size of
   * the bytecodes on.
   */
  private long identity(long constMethod) {
    if (!layout.codeSize().present() || layout.codeSize().offset() + 8 > header.length) {
      return constMethod & IDENTITY_MASK;
    }
    long constants = Bytes.value(header, 0, layout.constants());
    long shape = Bytes.i64(header, layout.codeSize().offset());
    long mixed = (constants ^ shape << 16) * IDENTITY_MIX >>> 16;
    return (constMethod ^ mixed) & IDENTITY_MASK;
  }

  /** As {@link #at(long)} for a caller that has the ConstMethod* already. */
  MethodInfo at(long method, long constMethod) {
    memory.begin();
    if (!TargetMemory.plausible(method) || !memory.bytes(constMethod, header, 0, header.length)) {
      return MethodInfo.NONE;
    }
    long identity = identity(constMethod);
    long constants = Bytes.value(header, 0, layout.constants());
    int nameIndex = (int) Bytes.value(header, 0, layout.nameIndex());
    MethodInfo known = cache.get(method, constMethod, MethodInfo.NONE);
    if (known.exists()
        && known.identity() == identity
        && known.nameSymbol() == poolEntry(constants, nameIndex)
        && memory.ok()) {
      return known;
    }
    memory.begin();
    MethodInfo read = read(method, constMethod, constants, nameIndex);
    if (read.exists()) {
      cache.put(method, constMethod, read);
    }
    return read;
  }

  private MethodInfo read(long method, long constMethod, long constants, int nameIndex) {
    long length = layout.poolLength().present() ? memory.value(constants, layout.poolLength()) : -1;
    if (!memory.ok()
        || nameIndex == 0
        || length > POOL_ENTRIES_MAX
        || length >= 0 && nameIndex >= length) {
      return MethodInfo.NONE;
    }
    int bytecodeBytes =
        layout.codeSize().present() ? (int) Bytes.value(header, 0, layout.codeSize()) : 0;
    boolean hasLines =
        layout.flags().present()
            && bytecodeBytes > 0
            && (Bytes.value(header, 0, layout.flags()) & layout.lineTableFlag()) != 0;
    long nameSymbol = poolEntry(constants, nameIndex);
    String name = symbols.at(nameSymbol);
    long holder = memory.value(constants, layout.poolHolder());
    String className = symbols.className(holder);
    boolean isNative =
        layout.accessFlags().present()
            && (memory.u16(method + layout.accessFlags().offset()) & ACC_NATIVE) != 0;
    if (!memory.ok() || name.isEmpty() || className.isEmpty()) {
      return MethodInfo.NONE;
    }
    return new MethodInfo(
        ClassNames.display(className) + "." + name,
        file(constants, holder, className),
        isNative,
        bytecodeBytes,
        hasLines ? constMethod + layout.constMethodBytes() + bytecodeBytes : 0,
        identity(constMethod),
        nameSymbol);
  }

  /** Shared by the methods of a class. */
  private String file(long constants, long holder, String className) {
    if (!layout.sourceFileIndex().present()) {
      return "";
    }
    int index = (int) memory.value(constants, layout.sourceFileIndex());
    if (!memory.ok() || index == 0) {
      return "";
    }
    String source = symbols.at(poolEntry(constants, index));
    String file = memory.ok() ? ClassNames.directory(className) + source : "";
    String known = files.get(constants, holder, "");
    if (!known.equals(file)) {
      files.put(constants, holder, file);
      return file;
    }
    return known;
  }

  /** Entries are pointers whose lowest bit may carry a mark. */
  private long poolEntry(long constants, int index) {
    return memory.pointer(constants + layout.constantPoolBytes() + 8L * index) & ~1L;
  }

  /** Source line of {@code bci}; 0 when unknown. */
  int line(MethodInfo method, int bci) {
    if (method.lineTable() == 0 || bci < 0 || bci >= method.bytecodeBytes()) {
      return 0;
    }
    int have = 0;
    for (int want = LINE_TABLE_BYTES_FIRST; want <= LINE_TABLE_BYTES_MAX; want *= 4) {
      if (lines.length < want) {
        byte[] larger = new byte[want];
        System.arraycopy(lines, 0, larger, 0, have);
        lines = larger;
      }
      boolean more = true;
      memory.begin();
      while (have < want && more) {
        long from = method.lineTable() + have;
        int part = (int) Math.min(want - have, PAGE_BYTES - (from & (PAGE_BYTES - 1)));
        more = memory.bytes(from, lines, have, part);
        have += more ? part : 0;
      }
      int line = LineTable.lineOf(bci, lines, have, layout.zeroIsFree());
      if (line != LineTable.INCOMPLETE) {
        return line;
      }
      if (!more) {
        return 0;
      }
    }
    return 0;
  }
}
