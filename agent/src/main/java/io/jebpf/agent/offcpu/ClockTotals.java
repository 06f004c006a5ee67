package io.jebpf.agent.offcpu;

/**
 * Time of all threads together, in nanoseconds: exact where it comes from the clocks, estimated
 * where it comes from waits.
 *
 * @param running on a CPU
 * @param runnable waiting for a CPU
 * @param blocked asleep, stopped threads included
 * @param disk asleep and not to be interrupted: disk, page faults
 */
public record ClockTotals(long running, long runnable, long blocked, long disk) {
  public static final ClockTotals ZERO = new ClockTotals(0, 0, 0, 0);

  public ClockTotals since(ClockTotals earlier) {
    return new ClockTotals(
        running - earlier.running,
        runnable - earlier.runnable,
        blocked - earlier.blocked,
        disk - earlier.disk);
  }
}
