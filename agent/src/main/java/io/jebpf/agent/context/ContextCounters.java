package io.jebpf.agent.context;

/**
 * What was instrumented, and what could not be kept. Everything since the start.
 *
 * @param classes classes changed
 * @param failed classes not changed because that failed, and libraries whose objects could not be
 *     read
 * @param noSlot contexts not set: too many threads have one at the same time
 * @param noRoom labels of the application not set: they are too long, or have too many keys
 * @param unnamedRoots root spans without name: there are too many different names
 * @param otherEndpoints requests whose endpoint is one of too many
 */
public record ContextCounters(
    long classes, long failed, long noSlot, long noRoom, long unnamedRoots, long otherEndpoints) {
  // words behind the table, see JebpfContext
  static final int NO_SLOT = 0;
  static final int NO_ROOM = 1;
  static final int NAMES_FULL = 2;
  static final int FAILED = 3;

  public static final ContextCounters ZERO = new ContextCounters(0, 0, 0, 0, 0, 0);
}
