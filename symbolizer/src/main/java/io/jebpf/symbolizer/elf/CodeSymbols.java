package io.jebpf.symbolizer.elf;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.tukaani.xz.XZInputStream;

/**
 * Names code addresses of one ELF object: from {@code .symtab} where there is one, else from {@code
 * .gnu_debugdata} (a compressed ELF file with the local symbols, on Fedora and RHEL) and the
 * exported symbols. Holds no file open. Owner: one thread.
 */
public final class CodeSymbols {
  /** Decompressed size; that of RHEL's libjvm-sized libraries is below 4 MB. */
  private static final int DEBUG_DATA_BYTES_MAX = 8 << 20;

  private static final int DEBUG_DATA_COMPRESSED_MAX = 4 << 20;

  /** What the decompressor may allocate, its dictionary above all. */
  private static final int DECOMPRESSOR_KIB_MAX = 16 * 1024;

  private final ElfImage image;
  private final List<SymbolIndex> tables;
  private final long heapBytes;

  private CodeSymbols(ElfImage image, List<SymbolIndex> tables, long extraBytes) {
    this.image = image;
    this.tables = List.copyOf(tables);
    long sum = extraBytes;
    for (SymbolIndex table : tables) {
      sum += table.heapBytes();
    }
    this.heapBytes = sum;
  }

  /** Reads the tables. Takes the image over: it is closed, and opened again for names. */
  public static CodeSymbols read(ElfImage image) {
    List<SymbolIndex> tables = new ArrayList<>(2);
    long extra = 0;
    Optional<SymbolIndex> full = SymbolTable.full(image);
    if (full.isPresent() && full.get().count() > 0) {
      tables.add(full.get());
    } else {
      byte[] debugData = debugData(image);
      if (debugData.length > 0) {
        try {
          ElfImage debug = ElfImage.ofBytes(image.name() + "(.gnu_debugdata)", debugData);
          byte[] strings = strings(debug);
          extra = strings.length;
          SymbolTable.full(debug)
              .map(t -> t instanceof SymbolTable table ? table.withStrings(strings) : t)
              .ifPresent(tables::add);
        } catch (ElfException e) {
          // Damaged: the exported symbols are left.
          extra = 0;
        }
      }
      SymbolTable.dynamic(image).ifPresent(tables::add);
    }
    image.close();
    return new CodeSymbols(image, tables, extra);
  }

  /** The names alone: of the decompressed file nothing else is kept. */
  private static byte[] strings(ElfImage debug) {
    for (ElfSection section : debug.sections()) {
      if (section.type() == ElfSection.SYMTAB && section.link() < debug.sections().size()) {
        ElfSection names = debug.sections().get(Math.max(0, section.link()));
        byte[] result = new byte[Math.clamp(names.bytes(), 0, DEBUG_DATA_BYTES_MAX)];
        boolean whole =
            debug.cursor(names).filter(in -> in.bytes(result, 0, result.length)).isPresent();
        return whole ? result : new byte[0];
      }
    }
    return new byte[0];
  }

  private static byte[] debugData(ElfImage image) {
    Optional<ElfSection> section = image.section(".gnu_debugdata");
    if (section.isEmpty()
        || section.get().bytes() <= 0
        || section.get().bytes() > DEBUG_DATA_COMPRESSED_MAX) {
      return new byte[0];
    }
    byte[] compressed = new byte[(int) section.get().bytes()];
    boolean whole =
        image
            .cursor(section.get())
            .filter(in -> in.bytes(compressed, 0, compressed.length))
            .isPresent();
    if (!whole) {
      return new byte[0];
    }
    try (XZInputStream in =
        new XZInputStream(new ByteArrayInputStream(compressed), DECOMPRESSOR_KIB_MAX)) {
      byte[] result = in.readNBytes(DEBUG_DATA_BYTES_MAX);
      return in.read() < 0 ? result : new byte[0];
    } catch (IOException e) {
      return new byte[0]; // damaged or larger than we allow
    }
  }

  /** A place in the tables: where the covering symbol starts. {@link #name} gives its name. */
  public record Place(int table, int index, long start) {}

  /** The symbol that covers a virtual address. Reads no file. */
  public Optional<Place> find(long virtualAddress) {
    for (int i = 0; i < tables.size(); i++) {
      int index = tables.get(i).find(virtualAddress);
      if (index >= 0) {
        return Optional.of(new Place(i, index, tables.get(i).start(index)));
      }
    }
    return Optional.empty();
  }

  /**
   * The name of a found symbol, mangled as it is in the file; empty when the file cannot be read
   * any more, or is another one now. Opens the file and closes it again.
   */
  public String name(Place place) {
    String name = tables.get(place.table).bestName(place.index);
    image.close();
    return name;
  }

  /** Code symbols held. */
  public int count() {
    int sum = 0;
    for (SymbolIndex table : tables) {
      sum += table.count();
    }
    return sum;
  }

  /** Heap this holds, for a cache that counts bytes. */
  public long heapBytes() {
    return heapBytes;
  }
}
