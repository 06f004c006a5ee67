package io.jebpf.symbolizer.unwinder;

import io.jebpf.symbolizer.ProcessMemory;
import io.jebpf.symbolizer.elf.ElfException;
import io.jebpf.symbolizer.elf.ElfImage;
import io.jebpf.symbolizer.elf.ElfSymbol;
import io.jebpf.symbolizer.elf.ElfSymbols;
import io.jebpf.symbolizer.elf.ElfTls;
import io.jebpf.symbolizer.hotspot.HotspotVm;
import io.jebpf.symbolizer.hotspot.KnobSink;
import io.jebpf.symbolizer.hotspot.LibjvmImage;
import io.jebpf.symbolizer.modules.ExecMapping;
import io.jebpf.symbolizer.modules.Module;
import io.jebpf.symbolizer.modules.ModuleTable;
import io.jebpf.symbolizer.unwind.UnwindCompiler;
import io.jebpf.symbolizer.unwind.UnwindRule;
import io.jebpf.symbolizer.unwind.UnwindTable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Writes what user space tells the kernel about a running JVM as an IMAGE file for {@code
 * bpf/src/test/c/walker.c}: knobs, mappings, rules and unwind tables.
 *
 * <p>{@code KernelImage PID FILE}
 */
public final class KernelImage {
  private static final long MAGIC = 0x4a45425046494d47L;
  private static final int MAPPING_BYTES = 40;
  private static final int RULE_BYTES = 16;
  private static final int ROW_BYTES = 8;
  private static final int FRAME_POINTERS = 1;
  private static final int INDEX_SHIFT = 12;

  private final StringBuilder knobs = new StringBuilder();
  private final Map<UnwindRule, Integer> rules = new LinkedHashMap<>();
  private final List<ByteBuffer> tables = new ArrayList<>();
  private final Map<Integer, int[]> tableOfModule = new HashMap<>(); // {table, rows}

  private KernelImage() {
    rules.put(UnwindRule.NONE, 0);
  }

  public static void main(String[] arguments) throws IOException {
    write(Long.parseLong(arguments[0]), Path.of(arguments[1]));
  }

  /** Writes the image of a JVM that runs. */
  public static void write(long pid, Path file) throws IOException {
    Path process = Path.of("/proc/" + pid);
    try (RandomAccessFile mem = new RandomAccessFile(process.resolve("mem").toFile(), "r")) {
      ProcessMemory memory =
          (address, into, offset, length) -> {
            try {
              mem.seek(address);
              mem.readFully(into, offset, length);
              return true;
            } catch (IOException unreadable) {
              return false;
            }
          };
      ModuleTable modules = new ModuleTable(process, memory);
      modules.refresh();
      new KernelImage().write(memory, modules, file);
    }
  }

  private void write(ProcessMemory memory, ModuleTable modules, Path file) throws IOException {
    Module libjvm =
        modules.mappings().stream()
            .map(ExecMapping::module)
            .filter(m -> m.fileName().equals("libjvm.so"))
            .findFirst()
            .orElseThrow(() -> new IOException("no libjvm.so"));
    switch (HotspotVm.open(memory, new Libjvm(libjvm))) {
      case HotspotVm.Opening.Opened opened -> opened.vm().kernelKnobs(sink());
      case HotspotVm.Opening.Unavailable unavailable -> throw new IOException(unavailable.cause());
    }
    ByteBuffer mappings = buffer(modules.mappings().size() * MAPPING_BYTES);
    for (ExecMapping mapping : modules.mappings()) {
      Module module = mapping.module();
      int[] table = tableOfModule.computeIfAbsent(module.number(), n -> compile(module));
      mappings.putLong(mapping.start()).putLong(mapping.end()).putLong(module.bias());
      mappings.putInt(module.number()).putInt(table[0]).putInt(table[1]);
      mappings.putInt(module.keepsFramePointers() ? FRAME_POINTERS : 0);
    }
    ByteBuffer ruleBytes = buffer(rules.size() * RULE_BYTES);
    for (UnwindRule rule : rules.keySet()) {
      ruleBytes.putInt(rule.cfaOffset()).putInt(rule.rbpOffset()).putInt(rule.raOffset());
      ruleBytes.put((byte) rule.cfa()).put((byte) rule.rbp()).putShort((short) 0);
    }
    byte[] text = knobs.toString().getBytes(StandardCharsets.US_ASCII);
    try (OutputStream out = Files.newOutputStream(file)) {
      out.write(
          buffer(24)
              .putLong(MAGIC)
              .putInt(text.length)
              .putInt(modules.mappings().size())
              .putInt(rules.size())
              .putInt(tables.size())
              .array());
      out.write(text);
      out.write(mappings.array());
      out.write(ruleBytes.array());
      for (ByteBuffer table : tables) {
        out.write(table.array());
      }
    }
  }

  private int[] compile(Module module) {
    try (ElfImage image = module.open()) {
      UnwindTable table = UnwindCompiler.compile(image);
      if (table.rows() == 0) {
        return new int[] {0, 0};
      }
      int number = tables.size() + 1;
      int pages = (table.start(table.rows() - 1) >>> INDEX_SHIFT) + 2;
      int elements = table.rows() + pages;
      ByteBuffer bytes = buffer(8 + elements * ROW_BYTES).putInt(number).putInt(elements);
      for (int i = 0; i < table.rows(); i++) {
        UnwindRule rule = table.rules().get(table.rule(i));
        bytes.putInt(table.start(i)).putInt(rules.computeIfAbsent(rule, r -> rules.size()));
      }
      for (int page = 0, below = 0; page < pages; page++) {
        while (below < table.rows()
            && Integer.toUnsignedLong(table.start(below)) <= (long) page << INDEX_SHIFT) {
          below++;
        }
        bytes.putInt(below).putInt(0);
      }
      tables.add(bytes);
      return new int[] {number, table.rows()};
    } catch (ElfException e) {
      return new int[] {0, 0};
    }
  }

  private KnobSink sink() {
    return new KnobSink() {
      @Override
      public void knob(String field, long value) {
        knobs.append(field).append(' ').append(Long.toUnsignedString(value)).append('\n');
      }

      @Override
      public void knob(String array, int index, String field, long value) {
        knobs.append(array).append(' ').append(index).append(' ');
        knob(field, value);
      }
    };
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** libjvm by the module's ELF image. */
  private record Libjvm(Module module) implements LibjvmImage {
    @Override
    public OptionalLong address(String symbol) {
      return module.addressOf(symbol);
    }

    @Override
    public long bytes(String symbol) {
      try (ElfImage image = module.open()) {
        return ElfSymbols.find(image, symbol).map(ElfSymbol::bytes).orElse(0L);
      } catch (ElfException e) {
        throw new UncheckedIOException(new IOException(e));
      }
    }

    @Override
    public OptionalLong tlsOffset(String symbol) {
      try (ElfImage image = module.open()) {
        return ElfSymbols.find(image, symbol)
            .map(s -> OptionalLong.of(s.value()))
            .orElse(OptionalLong.empty());
      } catch (ElfException e) {
        throw new UncheckedIOException(new IOException(e));
      }
    }

    @Override
    public OptionalLong tlsModuleIdSlot() {
      try (ElfImage image = module.open()) {
        OptionalLong slot = ElfTls.moduleSlot(image);
        return slot.isPresent()
            ? OptionalLong.of(slot.getAsLong() + module.bias())
            : OptionalLong.empty();
      } catch (ElfException e) {
        throw new UncheckedIOException(new IOException(e));
      }
    }

    @Override
    public long readOnlyStart() {
      return 0;
    }

    @Override
    public long readOnlyEnd() {
      return 0;
    }
  }
}
