package io.jebpf.agent.engine;

import io.jebpf.symbolizer.ProcessMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.OptionalLong;

/**
 * How many OutOfMemoryErrors the JVM has thrown, as it counts them itself. Where the counters are
 * is found at the start, with the JVM's other symbols: in the moment of need there may be no memory
 * to look for them. Known where libjvm.so has its symbol table, as the JDKs of most vendors do and
 * Debian's do not. Owner: one thread.
 */
final class OutOfMemoryCount {
  private final List<Long> addresses;
  private final ProcessMemory memory;
  private final byte[] word = new byte[4];

  OutOfMemoryCount(List<Long> addresses, ProcessMemory memory) {
    this.addresses = List.copyOf(addresses);
    this.memory = memory;
  }

  /** Empty when the JVM does not tell. */
  OptionalLong get() {
    long sum = 0;
    for (long address : addresses) {
      if (!memory.read(address, word, 0, word.length)) {
        return OptionalLong.empty();
      }
      sum += ByteBuffer.wrap(word).order(ByteOrder.nativeOrder()).getInt();
    }
    return addresses.isEmpty() ? OptionalLong.empty() : OptionalLong.of(sum);
  }
}
