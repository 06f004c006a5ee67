package io.jebpf.agent.history;

import io.jebpf.agent.engine.Counters;
import io.jebpf.agent.offcpu.OffCpuStats;

/**
 * All figures at one moment, so that what lies between two marks has its own. Counts grow from the
 * start; rates are what they were.
 *
 * @param nanos the moment, on the clock of System.nanoTime
 * @param processNanos CPU time of the process
 * @param agentNanos of it, the agent's own threads'
 * @param tickNanos interval of the ticker; 0 while it takes no stacks
 * @param frames of code in the samples that arrived
 * @param overflowed samples that lost their stack because a window was full
 * @param sampledNanos CPU time that the samples which arrived stand for
 */
public record Mark(
    long nanos,
    Counters counters,
    OffCpuStats offCpu,
    long processNanos,
    long agentNanos,
    int rateHz,
    int askedHz,
    long tickNanos,
    long askedTickNanos,
    long rateChanges,
    long taken,
    long frames,
    long framesUnresolved,
    long overflowed,
    long waitsOverflowed,
    long sampledNanos) {

  /** The beginning of all. */
  public static final Mark ZERO =
      new Mark(0, Counters.ZERO, OffCpuStats.ZERO, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}
