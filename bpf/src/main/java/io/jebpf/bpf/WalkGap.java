package io.jebpf.bpf;

/** What can be missing inside a stack that goes on behind it (enum jebpf_gap). */
public enum WalkGap {
  NATIVE(64, "native frames without unwind information"),
  FROZEN(65, "frames of a virtual thread in the heap that were not read"),
  CUT(67, "frames beyond the depth limit, between the leaf end and the root end");

  private static final int FIRST = 64;

  private final int number;
  private final String sentence;

  WalkGap(int number, String sentence) {
    this.number = number;
    this.sentence = sentence;
  }

  /** The address in the head of its marker frame. */
  public int number() {
    return number;
  }

  public String sentence() {
    return sentence;
  }

  /** Stacks with this gap, in what {@link KernelPrograms#stats()} returned. */
  long of(long[] stats, KernelStat first) {
    return stats[first.index() + number - FIRST];
  }
}
