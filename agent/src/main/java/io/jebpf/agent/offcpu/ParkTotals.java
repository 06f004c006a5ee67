package io.jebpf.agent.offcpu;

/**
 * Parks of virtual threads, since the start or between two moments.
 *
 * @param taken parks whose stack was taken
 * @param parks how many there were, by estimate
 * @param cut stacks that do not reach the virtual thread's first frame
 * @param undivided parks of which is not known when the thread was unparked: all parked
 * @param parkedNanos time parked, by estimate
 * @param queuedNanos time unparked and not yet running, by estimate
 * @param idleNanos of both, that of idle threads
 */
public record ParkTotals(
    long taken,
    long parks,
    long cut,
    long undivided,
    long parkedNanos,
    long queuedNanos,
    long idleNanos) {
  public static final ParkTotals ZERO = new ParkTotals(0, 0, 0, 0, 0, 0, 0);

  public ParkTotals since(ParkTotals earlier) {
    return new ParkTotals(
        taken - earlier.taken,
        parks - earlier.parks,
        cut - earlier.cut,
        undivided - earlier.undivided,
        parkedNanos - earlier.parkedNanos,
        queuedNanos - earlier.queuedNanos,
        idleNanos - earlier.idleNanos);
  }
}
