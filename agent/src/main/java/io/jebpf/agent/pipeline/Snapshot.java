package io.jebpf.agent.pipeline;

import io.jebpf.agent.engine.Counters;
import io.jebpf.agent.offcpu.OffCpuStats;

/**
 * The reader's figures as others may see them, published whole about once a second, more seldom
 * where nothing moves.
 *
 * @param counters since the engine started
 * @param taken samples that arrived
 * @param overflowed samples that arrived and lost their stack to a full window
 * @param frames frames of code in them
 * @param framesUnresolved those without a name
 * @param rateHz rate now
 * @param rateChanges times the budget changed the rate
 * @param windowsExtended windows that went on because the writer was not done with the last one
 * @param readerCpuNanos CPU time of the reader thread
 * @param offCpu figures of waits; exact clocks as of the last window's end
 * @param tickNanos the ticker's period now, 0 when it takes no stacks
 * @param tickChanges times the budget or a request changed it
 * @param memoryErrors OutOfMemoryErrors in the reader
 * @param discarded samples that these cost
 */
public record Snapshot(
    Counters counters,
    long taken,
    long overflowed,
    long frames,
    long framesUnresolved,
    int rateHz,
    long rateChanges,
    long windowsExtended,
    long readerCpuNanos,
    OffCpuStats offCpu,
    long tickNanos,
    long tickChanges,
    long memoryErrors,
    long discarded) {
  public static final Snapshot ZERO =
      new Snapshot(Counters.ZERO, 0, 0, 0, 0, 0, 0, 0, 0, OffCpuStats.ZERO, 0, 0, 0, 0);
}
