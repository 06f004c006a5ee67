package io.jebpf.bpf;

/** What could not be read where a walk ended in {@link WalkEnd#READ_FAULT} (enum jebpf_unread). */
public enum WalkUnread {
  STACK(1, "a word of the thread's stack"),
  CODE_CACHE(2, "instructions that HotSpot made, or what it says of them there"),
  FILE(3, "instructions of a mapped file"),
  JVM(4, "the JVM's own data: a thread, an anchor, a method");

  private final int number;
  private final String sentence;

  WalkUnread(int number, String sentence) {
    this.number = number;
    this.sentence = sentence;
  }

  /** The highest byte of its marker frame's detail. */
  public int number() {
    return number;
  }

  public String sentence() {
    return sentence;
  }

  /** Walks that it ended, in what {@link KernelPrograms#stats()} returned. */
  long of(long[] stats, KernelStat first) {
    return stats[first.index() + ordinal()];
  }
}
