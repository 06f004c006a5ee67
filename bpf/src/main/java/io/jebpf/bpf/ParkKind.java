package io.jebpf.bpf;

/** How a virtual thread left its carrier ({@code enum jebpf_park_kind}, in its order). */
public enum ParkKind {
  /** By Java code: LockSupport.park, Thread.sleep, Thread.yield and all that is made of them. */
  YIELD,
  /** At a monitor that another thread has. */
  MONITOR,
  /** In Object.wait. */
  WAIT;

  private static final ParkKind[] ALL = values();

  static ParkKind of(int index) {
    return index >= 0 && index < ALL.length ? ALL[index] : YIELD;
  }
}
