package io.jebpf.bpf;

/**
 * Counters of the kernel programs (enum jebpf_stat): index into {@link KernelPrograms#stats()}, and
 * what it says.
 */
public enum KernelStat {
  EVENTS(0, "clock events seen, whatever ran"),
  SAMPLES(1, "clock events that hit the process: each was written or lost"),
  RING_FULL(2, "samples lost because the ring was full"),
  KERNEL_STACK(3, "kernel stacks that could not be read"),
  PROGRAM_NS(4, "nanoseconds spent in the kernel programs, context switches and wake-ups apart"),
  FRAMES(5, "user frames taken"),
  CACHE_MISS(6, "frames whose rule was not in the per-CPU cache"),
  SCRATCH(7, "samples lost because scratch memory was busy or missing"),
  WEIGHT_NS(8, "nanoseconds of CPU time that all samples stand for, lost ones included"),
  CLOCKS_FULL(9, "threads without a clock: all clocks are in use"),
  MOVED_FULL(10, "switches that did not fit the ticker's list"),
  WAIT_END_LOST(11, "ends of waits lost because the ring was full"),
  WAIT_MOVED(12, "stacks dropped because the thread ran during the walk"),
  SWITCHES(13, "context switches of the process"),
  TICKS(14, "runs of the ticker"),
  WAITS(15, "stacks of waits taken"),
  END_FIRST(
      16,
      "walks that reached the thread's root; the counters of the other ends follow, see WalkEnd"),
  WAIT_END_FIRST(32, "the same of waits"),
  TICK_NS(46, "nanoseconds of them spent in the ticker's program"),
  SWITCH_NS(47, "nanoseconds spent at context switches and wake-ups, by samples"),
  CONTEXT_FAULT(48, "contexts of threads that could not be read"),
  SWITCH_MISSED(49, "context switches that were not traced, made up for"),
  GAP_FIRST(50, "stacks with a gap; the counters of the other gaps follow, see WalkGap"),
  WHOLE(54, "stacks from leaf to root without a gap; those that the depth limit cut count as such"),
  PATHS(55, "kernel stacks of waits that went by a known path"),
  WAIT_GAP_FIRST(56, "stacks of waits with a gap, as GAP_FIRST"),
  WAIT_WHOLE(60, "whole stacks of waits, as WHOLE"),
  PARK_NS(61, "nanoseconds of them spent on parks of virtual threads"),
  PARK_LOST(62, "parks whose stack could not be taken or written"),
  PATH_WRONG(63, "such paths that the kernel's own walk, asked now and then, denied"),
  UNREAD_FIRST(
      64,
      "walks ended by a word of the stack that could not be read; others follow, see WalkUnread"),
  WAIT_UNREAD_FIRST(68, "the same of waits");

  private final int index;
  private final String sentence;

  KernelStat(int index, String sentence) {
    this.index = index;
    this.sentence = sentence;
  }

  public int index() {
    return index;
  }

  public String sentence() {
    return sentence;
  }

  /** This counter's value in what {@link KernelPrograms#stats()} returned. */
  public long of(long[] stats) {
    return stats[index];
  }
}
