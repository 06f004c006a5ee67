package io.jebpf.symbolizer.elf;

import io.jebpf.symbolizer.ProcessMemory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A 64-bit little-endian ELF object (x86-64 or aarch64), read from a file or, where the file cannot
 * be opened, from the memory it was loaded to. In memory there are no sections: no {@code .symtab}.
 *
 * <p>Addresses are ELF virtual addresses: the load bias is not added. What is read is never
 * trusted: every count and size is bounded, and damage makes things absent. Owner: one thread.
 * {@link #close} may be called at any time; a file is opened again by the next read.
 */
public final class ElfImage implements AutoCloseable {
  static final int HEADER_BYTES = 64;
  static final int PROGRAM_HEADER_BYTES = 56;
  static final int SECTION_HEADER_BYTES = 64;

  /** The kernel itself loads at most 64 KiB of program headers; 10 to 15 are usual. */
  static final int PROGRAM_HEADERS_MAX = 256;

  /** libjvm has 35; object files with a section per function are not loaded into processes. */
  static final int SECTIONS_MAX = 1024;

  private static final int SECTION_NAME_BYTES_MAX = 64;
  private static final int NOTE_BYTES_MAX = 64 * 1024;
  private static final int BUILD_ID_BYTES_MAX = 64;

  /** Above this, RandomAccessFile allocates native memory for each read. */
  private static final int CHUNK_BYTES = 8 * 1024;

  private static final int NOTE_GNU_BUILD_ID = 3;
  private static final int PAGE_BYTES = 4096;

  private final String name;
  private final Bytes bytes;
  private final boolean memory;
  private final ElfMachine machine;
  private final List<ElfSegment> segments;
  private final ElfSegment[] code; // asked for every symbol and function: no iterator
  private final long lowest;
  private final long sectionsOffset;
  private final int sectionCount;
  private final int sectionNames;
  private List<ElfSection> sections;
  private byte[] buildId;
  private ElfDynamic dynamic;

  private ElfImage(
      String name, Bytes bytes, boolean memory, ElfMachine machine, Header header, long lowest) {
    this.name = name;
    this.bytes = bytes;
    this.memory = memory;
    this.machine = machine;
    this.segments = header.segments;
    this.code = codeSegments(header.segments);
    this.lowest = lowest;
    this.sectionsOffset = header.sectionsOffset;
    this.sectionCount = header.sectionCount;
    this.sectionNames = header.sectionNames;
  }

  private static ElfSegment[] codeSegments(List<ElfSegment> segments) {
    List<ElfSegment> found = new ArrayList<>();
    for (ElfSegment segment : segments) {
      boolean executable = (segment.flags() & ElfSegment.FLAG_EXECUTE) != 0;
      if (segment.type() == ElfSegment.LOAD && executable) {
        found.add(segment);
      }
    }
    return found.toArray(new ElfSegment[0]);
  }

  private record Header(
      List<ElfSegment> segments, long sectionsOffset, int sectionCount, int sectionNames) {}

  /** Opens a file. The caller closes the image. */
  public static ElfImage ofFile(Path file) throws ElfException {
    try {
      FileBytes bytes = FileBytes.open(file);
      try {
        return parse(file.toString(), bytes, false);
      } catch (ElfException | RuntimeException e) {
        bytes.close();
        throw e;
      }
    } catch (IOException e) {
      throw new ElfException("cannot read " + file + " as ELF: " + e, e);
    }
  }

  /** Reads an object loaded in a process; {@code headerAddress} is where its ELF header is. */
  public static ElfImage ofMemory(String name, ProcessMemory memory, long headerAddress)
      throws ElfException {
    return parse(name, new MemoryBytes(memory, headerAddress), true);
  }

  /** Reads the contents of an ELF file from an array, which is kept. */
  public static ElfImage ofBytes(String name, byte[] contents) throws ElfException {
    return parse(name, new ArrayBytes(contents), false);
  }

  private static ElfImage parse(String name, Bytes bytes, boolean memory) throws ElfException {
    byte[] ident = new byte[HEADER_BYTES];
    if (!bytes.read(0, ident, 0, HEADER_BYTES)) {
      throw new ElfException("cannot read the ELF header of " + name);
    }
    if (ident[0] != 0x7f || ident[1] != 'E' || ident[2] != 'L' || ident[3] != 'F') {
      throw ElfException.foreign(name + " is not an ELF object");
    }
    if (ident[4] != 2 || ident[5] != 1) {
      throw ElfException.foreign(name + " is not 64-bit little-endian ELF");
    }
    ElfCursor header = new ElfCursor(bytes, 0, HEADER_BYTES, HEADER_BYTES);
    header.seek(18);
    ElfMachine machine = machine(name, header.u16());
    header.seek(32);
    long programOffset = header.u64();
    long sectionOffset = header.u64();
    header.seek(54);
    int programSize = header.u16();
    int programCount = header.u16();
    int sectionSize = header.u16();
    int sectionCount = header.u16();
    int sectionNames = header.u16();
    if (programSize != PROGRAM_HEADER_BYTES || programCount > PROGRAM_HEADERS_MAX) {
      throw new ElfException(
          name + " has " + programCount + " program headers of " + programSize + " bytes");
    }
    boolean readable =
        !memory && sectionSize == SECTION_HEADER_BYTES && sectionCount <= SECTIONS_MAX;
    List<ElfSegment> segments = segments(name, bytes, programOffset, programCount);
    Header parsed = new Header(segments, sectionOffset, readable ? sectionCount : 0, sectionNames);
    long lowest = 0;
    for (ElfSegment segment : segments) {
      if (segment.type() == ElfSegment.LOAD) {
        lowest = segment.address() - segment.offset() & -PAGE_BYTES;
        break;
      }
    }
    return new ElfImage(name, bytes, memory, machine, parsed, lowest);
  }

  private static ElfMachine machine(String name, int number) throws ElfException {
    for (ElfMachine candidate : ElfMachine.values()) {
      if (candidate.elfNumber == number) {
        return candidate;
      }
    }
    throw ElfException.foreign(name + " is for machine " + number + ", not x86-64 or aarch64");
  }

  private static List<ElfSegment> segments(String name, Bytes bytes, long offset, int count)
      throws ElfException {
    ElfCursor in =
        new ElfCursor(bytes, offset, (long) count * PROGRAM_HEADER_BYTES, PROGRAM_HEADERS_MAX * 56);
    List<ElfSegment> result = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int type = in.i32();
      int flags = in.i32();
      long fileOffset = in.u64();
      long address = in.u64();
      in.u64();
      long fileBytes = in.u64();
      long memoryBytes = in.u64();
      in.u64();
      result.add(new ElfSegment(type, flags, fileOffset, address, fileBytes, memoryBytes));
    }
    if (offset < 0 || in.failed()) {
      throw new ElfException("cannot read the program headers of " + name);
    }
    return List.copyOf(result);
  }

  /** What the image was opened as: a path or a label. */
  public String name() {
    return name;
  }

  public ElfMachine machine() {
    return machine;
  }

  /** Whether this is the image in a process's memory: no sections, hence no {@code .symtab}. */
  public boolean inMemory() {
    return memory;
  }

  /** Load bias of an image in memory; 0 for a file. */
  long memoryBias() {
    return bytes instanceof MemoryBytes loaded ? loaded.base() - lowest : 0;
  }

  List<ElfSegment> segments() {
    return segments;
  }

  Optional<ElfSegment> segment(int type) {
    for (ElfSegment segment : segments) {
      if (segment.type() == type) {
        return Optional.of(segment);
      }
    }
    return Optional.empty();
  }

  /** Whether the virtual address is in an executable segment. */
  public boolean isCode(long virtualAddress) {
    for (int i = 0; i < code.length; i++) {
      if (code[i].contains(virtualAddress)) {
        return true;
      }
    }
    return false;
  }

  /** Lowest virtual address of the image, page-aligned: that of the ELF header when loaded. */
  public long lowestAddress() {
    return lowest;
  }

  /**
   * The load bias (address - ELF virtual address) of a mapping of this file, from its start and
   * file offset; empty when no loadable segment holds that part of the file.
   */
  public OptionalLong bias(long mappingStart, long mappingOffset, boolean executable) {
    for (ElfSegment segment : segments) {
      boolean kind = !executable || (segment.flags() & ElfSegment.FLAG_EXECUTE) != 0;
      long first = segment.offset() & -PAGE_BYTES;
      long skip = mappingOffset - first;
      long span = segment.offset() - first + segment.fileBytes();
      if (segment.type() == ElfSegment.LOAD && kind && Long.compareUnsigned(skip, span) < 0) {
        long address = segment.address() - (segment.offset() - first) + skip;
        return OptionalLong.of(mappingStart - address);
      }
    }
    return OptionalLong.empty();
  }

  /** Reads initialised bytes at a virtual address, all or nothing. */
  public boolean read(long virtualAddress, byte[] into, int offset, int length) {
    long position = position(virtualAddress, length);
    return position >= 0 && bytes.read(position, into, offset, length);
  }

  /** A cursor over {@code length} bytes at a virtual address; empty when they are not there. */
  public Optional<ElfCursor> cursor(long virtualAddress, long length) {
    return cursor(virtualAddress, length, CHUNK_BYTES);
  }

  Optional<ElfCursor> cursor(long virtualAddress, long length, int chunkBytes) {
    long position = position(virtualAddress, length);
    return position < 0
        ? Optional.empty()
        : Optional.of(new ElfCursor(bytes, position, length, chunkBytes));
  }

  /** Bytes left in the segment's initialised part from a virtual address on; 0 when in none. */
  public long bytesFrom(long virtualAddress) {
    for (ElfSegment segment : segments) {
      if (segment.type() == ElfSegment.LOAD && segment.holds(virtualAddress, 1)) {
        return segment.fileBytes() - (virtualAddress - segment.address());
      }
    }
    return 0;
  }

  /** A cursor over a section's contents; empty for sections without bytes. */
  Optional<ElfCursor> cursor(ElfSection section) {
    return cursor(section, CHUNK_BYTES);
  }

  Optional<ElfCursor> cursor(ElfSection section, int chunkBytes) {
    boolean absent = memory || section.type() == ElfSection.NOBITS || section.offset() < 0;
    return absent || section.bytes() < 0
        ? Optional.empty()
        : Optional.of(new ElfCursor(bytes, section.offset(), section.bytes(), chunkBytes));
  }

  private long position(long virtualAddress, long length) {
    for (ElfSegment segment : segments) {
      if (segment.type() == ElfSegment.LOAD && segment.holds(virtualAddress, length)) {
        return memory
            ? virtualAddress - lowest
            : Math.max(-1, segment.offset() + (virtualAddress - segment.address()));
      }
    }
    return -1;
  }

  /** The section headers; empty in memory and for files stripped of them. */
  public List<ElfSection> sections() {
    if (sections == null) {
      sections = sectionCount == 0 || sectionsOffset <= 0 ? List.of() : readSections();
    }
    return sections;
  }

  /** The first section of that name. */
  public Optional<ElfSection> section(String wanted) {
    for (ElfSection section : sections()) {
      if (section.name().equals(wanted)) {
        return Optional.of(section);
      }
    }
    return Optional.empty();
  }

  private List<ElfSection> readSections() {
    long tableBytes = (long) sectionCount * SECTION_HEADER_BYTES;
    ElfCursor in = new ElfCursor(bytes, sectionsOffset, tableBytes, CHUNK_BYTES);
    if (sectionNames >= sectionCount) {
      return List.of();
    }
    in.seek((long) sectionNames * SECTION_HEADER_BYTES + 24);
    long namesOffset = in.u64();
    long namesBytes = in.u64();
    if (in.failed() || namesOffset < 0 || namesBytes < 0) {
      return List.of();
    }
    ElfCursor names = new ElfCursor(bytes, namesOffset, namesBytes, CHUNK_BYTES);
    in.seek(0);
    List<ElfSection> result = new ArrayList<>(sectionCount);
    for (int i = 0; i < sectionCount; i++) {
      long nameOffset = in.u32();
      int type = in.i32();
      long flags = in.u64();
      long address = in.u64();
      long offset = in.u64();
      long length = in.u64();
      int link = in.i32();
      in.skip(20);
      String sectionName = string(names, nameOffset, SECTION_NAME_BYTES_MAX);
      result.add(new ElfSection(sectionName, type, flags, address, offset, length, link));
    }
    return in.failed() ? List.of() : List.copyOf(result);
  }

  /** The zero-terminated string at an offset, cut at {@code bytesMax}; empty when unreadable. */
  static String string(ElfCursor in, long offset, int bytesMax) {
    in.seek(offset);
    byte[] text = new byte[Math.min(bytesMax, 128)];
    int length = 0;
    while (length < bytesMax) {
      int next = in.u8();
      if (next == 0 || in.failed()) {
        break;
      }
      if (length == text.length) {
        text = Arrays.copyOf(text, Math.min(bytesMax, 2 * length));
      }
      text[length++] = (byte) next;
    }
    return new String(text, 0, length, StandardCharsets.ISO_8859_1);
  }

  /** The dynamic section's tables. */
  ElfDynamic dynamic() {
    if (dynamic == null) {
      dynamic = ElfDynamic.read(this);
    }
    return dynamic;
  }

  /** The GNU build id; an empty array when the object has none. The caller must not change it. */
  public byte[] buildId() {
    if (buildId == null) {
      buildId = new byte[0];
      for (ElfSegment segment : segments) {
        if (segment.type() == ElfSegment.NOTE && buildId.length == 0) {
          long length = Math.min(segment.fileBytes(), NOTE_BYTES_MAX);
          cursor(segment.address(), length, NOTE_BYTES_MAX).ifPresent(this::findBuildId);
        }
      }
    }
    return buildId;
  }

  private void findBuildId(ElfCursor in) {
    while (in.remaining() >= 12 && !in.failed()) {
      long nameBytes = in.u32();
      long valueBytes = in.u32();
      int type = in.i32();
      long start = in.position();
      if (in.failed()) {
        return;
      }
      boolean gnu = nameBytes == 4 && in.i32() == 0x00554e47; // "GNU\0"
      in.seek(start);
      in.skip(nameBytes + 3 & ~3L);
      if (gnu && type == NOTE_GNU_BUILD_ID && valueBytes <= BUILD_ID_BYTES_MAX) {
        byte[] value = new byte[(int) valueBytes];
        if (in.bytes(value, 0, value.length)) {
          buildId = value;
        }
        return;
      }
      in.skip(valueBytes + 3 & ~3L);
    }
  }

  @Override
  public void close() {
    bytes.close();
  }

  @Override
  public String toString() {
    return name;
  }
}
