package io.jebpf.bpf;

import java.util.List;

/**
 * Which off-CPU programs to load.
 *
 * @param wakerNanos waits of this length and more record who ended them
 * @param wakerStacks whether they record its stack as well
 * @param iterator whether the ticker looks at every thread of the process; false: at those that
 *     left a CPU since it looked, which costs less and needs Linux 6.2
 */
public record OffCpuPrograms(long wakerNanos, boolean wakerStacks, boolean iterator) {
  static final String PARKING = "on_park";

  public OffCpuPrograms {
    if (wakerNanos < 0) {
      throw new IllegalArgumentException("wakers of waits of " + wakerNanos + " ns");
    }
  }

  String switching() {
    return "on_switch";
  }

  String waking() {
    return wakerStacks ? "on_waker" : "on_waking";
  }

  String ticking() {
    return iterator ? "on_tick_task" : "on_tick";
  }

  String edge() {
    return iterator ? "on_edge_task" : "on_edge";
  }

  List<String> names() {
    return List.of(switching(), waking(), ticking(), edge(), PARKING);
  }
}
