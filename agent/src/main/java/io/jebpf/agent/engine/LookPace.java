package io.jebpf.agent.engine;

/**
 * When the mappings of the process are looked at again. The text of /proc/self/maps takes longer
 * the more mappings there are, three for each thread among them, so a look on suspicion has to be
 * seldom where it is dear; the dynamic linker's own count of objects, which costs nothing, tells of
 * nearly all that is new. Owner: one thread.
 */
final class LookPace {
  private static final long SECOND_NANOS = 1_000_000_000L;

  /** Code comes in bursts at the start: look often then. */
  private static final long EARLY_NANOS = 30 * SECOND_NANOS;

  /** Also after a library came or went, or a sample met unknown code. */
  static final long INTERVAL_NANOS = SECOND_NANOS / 5;

  /** Looks with a reason take at most one part in so many of the time. */
  static final int WANTED_SHARE = 100;

  /** The others, at the start and later. */
  static final int EARLY_SHARE = 5_000;

  static final int QUIET_SHARE = 50_000;

  private final long startNanos;
  private long lookedNanos;
  private long loads; // 0, which is no count: the first look is for what came before it

  /** The last look was for unknown code, and brought nothing new. */
  private boolean fruitless;

  LookPace(long nowNanos) {
    this.startNanos = nowNanos;
    this.lookedNanos = nowNanos;
  }

  /**
   * @param loadsNow the dynamic linker's count
   * @param unknown whether a sample has met code that is in no known mapping. Some code never is
   *     (that of other compilers at run time): after a look that was in vain it is no reason
   * @param lookNanos what a look takes
   */
  boolean isDue(long nowNanos, long loadsNow, boolean unknown, long lookNanos) {
    boolean wanted = loadsNow != loads || unknown && isCurious();
    boolean early = nowNanos - startNanos < EARLY_NANOS;
    long share = wanted ? WANTED_SHARE : early ? EARLY_SHARE : QUIET_SHARE;
    return leftNanos(nowNanos, share, lookNanos) <= 0;
  }

  /**
   * How long until {@link #isDue} because of unknown code, 0 and less: it is; Long.MAX_VALUE: there
   * is no reason.
   */
  long dueInNanos(long nowNanos, boolean unknown, long lookNanos) {
    return unknown && isCurious() ? leftNanos(nowNanos, WANTED_SHARE, lookNanos) : Long.MAX_VALUE;
  }

  /** How long until looks take no more than one part in {@code share} of the time. */
  private long leftNanos(long nowNanos, long share, long lookNanos) {
    return lookedNanos + Math.max(INTERVAL_NANOS, share * lookNanos) - nowNanos;
  }

  /** Whether unknown code is a reason. */
  boolean isCurious() {
    return !fruitless;
  }

  /**
   * A look was taken.
   *
   * @param loadsBefore the count before it
   * @param unknown as in {@link #isDue}
   */
  void looked(long nowNanos, long loadsBefore, boolean unknown, boolean changed) {
    lookedNanos = nowNanos;
    loads = loadsBefore;
    fruitless = !changed && (unknown || fruitless);
  }
}
