package io.jebpf.agent.engine;

import io.jebpf.symbolizer.ProcessMemory;
import io.jebpf.symbolizer.elf.ElfException;
import io.jebpf.symbolizer.elf.ElfImage;
import io.jebpf.symbolizer.elf.ElfSymbol;
import io.jebpf.symbolizer.elf.ElfSymbols;
import io.jebpf.symbolizer.modules.Module;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * How many OutOfMemoryErrors the JVM has thrown: it counts them itself, for its crash reports (JDK
 * 17 to 28, exceptions.cpp). Known where libjvm.so has its symbol table, as the JDKs of most
 * vendors do and Debian's do not. Looked for at the first question. Owner: one thread.
 */
final class OutOfMemoryCount {
  private static final List<String> COUNTERS =
      List.of(
          "_ZN10Exceptions37_out_of_memory_error_java_heap_errorsE",
          "_ZN10Exceptions37_out_of_memory_error_metaspace_errorsE",
          "_ZN10Exceptions43_out_of_memory_error_class_metaspace_errorsE");

  private final Optional<Module> libjvm;
  private final ProcessMemory memory;
  private final byte[] word = new byte[4];
  private Optional<List<Long>> addresses = Optional.empty();

  OutOfMemoryCount(Optional<Module> libjvm, ProcessMemory memory) {
    this.libjvm = libjvm;
    this.memory = memory;
  }

  OptionalLong get() {
    if (addresses.isEmpty()) {
      addresses = Optional.of(find());
    }
    long sum = 0;
    for (long address : addresses.get()) {
      if (!memory.read(address, word, 0, word.length)) {
        return OptionalLong.empty();
      }
      sum += ByteBuffer.wrap(word).order(ByteOrder.nativeOrder()).getInt();
    }
    return addresses.get().isEmpty() ? OptionalLong.empty() : OptionalLong.of(sum);
  }

  private List<Long> find() {
    List<Long> found = new ArrayList<>();
    if (libjvm.isEmpty()) {
      return found;
    }
    try (ElfImage image = libjvm.get().open()) {
      Map<String, ElfSymbol> symbols = ElfSymbols.find(image, COUNTERS);
      symbols.values().forEach(symbol -> found.add(libjvm.get().bias() + symbol.value()));
    } catch (ElfException e) {
      return List.of(); // then it is not known
    }
    return found;
  }
}
