package io.jebpf.symbolizer.hotspot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * libjvm of a live process for tests: a second, independent reading of the ELF file, so that a test
 * of this package fails for its own reasons only.
 */
final class TestLibjvm implements LibjvmImage {
  private static final int SHT_SYMTAB = 2;
  private static final int SHT_RELA = 4;
  private static final int SHT_DYNSYM = 11;
  private static final int STT_TLS = 6;
  private static final int R_X86_64_DTPMOD64 = 16;

  private final Map<String, Long> addresses = new HashMap<>();
  private final Map<String, Long> sizes = new HashMap<>();
  private final Map<String, Long> tlsOffsets = new HashMap<>();
  private OptionalLong tlsModuleIdSlot = OptionalLong.empty();
  private long readOnlyStart;
  private long readOnlyEnd;
  private final boolean withSymtab;

  /** {@code withSymtab} false: as if the file were stripped. */
  TestLibjvm(long pid, boolean withSymtab) throws IOException {
    this.withSymtab = withSymtab;
    List<String> mappings =
        Files.readAllLines(Path.of("/proc/" + pid + "/maps")).stream()
            .filter(line -> line.endsWith("/libjvm.so") && line.contains("p "))
            .toList();
    if (mappings.isEmpty()) {
      throw new IOException("no libjvm.so mapped in process " + pid);
    }
    String first = mappings.get(0);
    long bias = Long.parseUnsignedLong(first.substring(0, first.indexOf('-')), 16);
    try (FileChannel file = FileChannel.open(Path.of(first.substring(first.indexOf('/'))))) {
      read(
          file.map(FileChannel.MapMode.READ_ONLY, 0, file.size()).order(ByteOrder.LITTLE_ENDIAN),
          bias);
    }
  }

  private void read(ByteBuffer elf, long bias) {
    int sections = (int) elf.getLong(0x28);
    int count = elf.getShort(0x3c) & 0xffff;
    int sectionNames = (int) elf.getLong(sections + (elf.getShort(0x3e) & 0xffff) * 64 + 24);
    for (int i = 0; i < count; i++) {
      int header = sections + i * 64;
      int type = elf.getInt(header + 4);
      int start = (int) elf.getLong(header + 24);
      int bytes = (int) elf.getLong(header + 32);
      if (string(elf, sectionNames + elf.getInt(header)).equals(".rodata")) {
        readOnlyStart = bias + elf.getLong(header + 16);
        readOnlyEnd = readOnlyStart + bytes;
      }
      if (type == SHT_DYNSYM || type == SHT_SYMTAB && withSymtab) {
        int strings = (int) elf.getLong(sections + elf.getInt(header + 40) * 64 + 24);
        symbols(elf, start, bytes, strings, bias);
      } else if (type == SHT_RELA && tlsModuleIdSlot.isEmpty()) {
        for (int at = start; at < start + bytes; at += 24) {
          if (elf.getLong(at + 8) == R_X86_64_DTPMOD64) {
            tlsModuleIdSlot = OptionalLong.of(bias + elf.getLong(at));
            break;
          }
        }
      }
    }
  }

  private void symbols(ByteBuffer elf, int start, int bytes, int strings, long bias) {
    for (int at = start; at < start + bytes; at += 24) {
      if (elf.getShort(at + 6) == 0) {
        continue;
      }
      String name = string(elf, strings + elf.getInt(at));
      if ((elf.get(at + 4) & 15) == STT_TLS) {
        tlsOffsets.put(name, elf.getLong(at + 8));
      } else {
        addresses.put(name, bias + elf.getLong(at + 8));
        sizes.put(name, elf.getLong(at + 16));
      }
    }
  }

  private static String string(ByteBuffer elf, int from) {
    int to = from;
    while (elf.get(to) != 0) {
      to++;
    }
    byte[] text = new byte[to - from];
    elf.get(from, text);
    return new String(text, StandardCharsets.US_ASCII);
  }

  @Override
  public OptionalLong address(String symbol) {
    Long address = addresses.get(symbol);
    return address == null ? OptionalLong.empty() : OptionalLong.of(address);
  }

  @Override
  public long bytes(String symbol) {
    return sizes.getOrDefault(symbol, 0L);
  }

  @Override
  public OptionalLong tlsOffset(String symbol) {
    Long offset = tlsOffsets.get(symbol);
    return offset == null ? OptionalLong.empty() : OptionalLong.of(offset);
  }

  @Override
  public OptionalLong tlsModuleIdSlot() {
    return tlsModuleIdSlot;
  }

  @Override
  public long readOnlyStart() {
    return readOnlyStart;
  }

  @Override
  public long readOnlyEnd() {
    return readOnlyEnd;
  }
}
