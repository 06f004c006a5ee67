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
 * exported symbols. Names are returned as they are in the file, mangled. Owner: one thread.
 */
public final class CodeSymbols implements AutoCloseable {
  /** Decompressed size; that of RHEL's libjvm-sized libraries is below 4 MB. */
  private static final int DEBUG_DATA_BYTES_MAX = 8 << 20;

  private static final int DEBUG_DATA_COMPRESSED_MAX = 4 << 20;

  /** What the decompressor may allocate, its dictionary above all. */
  private static final int DECOMPRESSOR_KIB_MAX = 16 * 1024;

  private final ElfImage image;
  private final List<SymbolTable> tables;
  private final long heapBytes;

  private CodeSymbols(ElfImage image, List<SymbolTable> tables, long extraBytes) {
    this.image = image;
    this.tables = List.copyOf(tables);
    long sum = extraBytes;
    for (SymbolTable table : tables) {
      sum += table.heapBytes();
    }
    this.heapBytes = sum;
  }

  /** A code symbol: where it starts (virtual address) and its name, mangled. */
  public record Match(String name, long start) {}

  /** Reads the tables. Takes the image over: it is closed with this. */
  public static CodeSymbols read(ElfImage image) {
    List<SymbolTable> tables = new ArrayList<>(2);
    long extra = 0;
    Optional<SymbolTable> full = SymbolTable.full(image);
    if (full.isPresent() && full.get().count() > 0) {
      tables.add(full.get());
    } else {
      byte[] debugData = debugData(image);
      if (debugData.length > 0) {
        try {
          ElfImage debug = ElfImage.ofBytes(image.name() + "(.gnu_debugdata)", debugData);
          SymbolTable.full(debug).ifPresent(tables::add);
          extra = debugData.length;
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

  private static byte[] debugData(ElfImage image) {
    Optional<ElfSection> section = image.section(".gnu_debugdata");
    if (section.isEmpty()
        || section.get().bytes() <= 0
        || section.get().bytes() > DEBUG_DATA_COMPRESSED_MAX) {
      return new byte[0];
    }
    byte[] compressed = new byte[(int) section.get().bytes()];
    boolean whole =
        image.cursor(section.get()).filter(in -> in.bytes(compressed, 0, compressed.length)).isPresent();
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

  /** The symbol that covers a virtual address. */
  public Optional<Match> find(long virtualAddress) {
    for (SymbolTable table : tables) {
      int index = table.find(virtualAddress);
      if (index >= 0) {
        String name = table.name(index);
        if (!name.isEmpty()) {
          return Optional.of(new Match(name, table.start(index)));
        }
      }
    }
    return Optional.empty();
  }

  /** Code symbols held. */
  public int count() {
    int sum = 0;
    for (SymbolTable table : tables) {
      sum += table.count();
    }
    return sum;
  }

  /** Heap this holds, for a cache that counts bytes. */
  public long heapBytes() {
    return heapBytes;
  }

  /** Closes the file; a later {@link #find} opens it again where it still can. */
  @Override
  public void close() {
    image.close();
  }
}
