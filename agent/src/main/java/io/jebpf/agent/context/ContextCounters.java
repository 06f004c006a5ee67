package io.jebpf.agent.context;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What was instrumented, and what could not be kept. Everything since the start.
 *
 * @param classes classes changed
 * @param failed classes not changed because that failed, and libraries whose objects could not be
 *     read
 * @param noSlot contexts not set: too many threads have one at the same time
 * @param reclaimed slots given back because their thread ended inside a scope
 * @param noRoom labels of the application not set: they are too long, or have too many keys
 * @param unnamedRoots root spans without name: there are too many different names
 * @param otherEndpoints requests whose endpoint is one of too many
 * @param otherValues samples whose label's value is one of too many
 */
public record ContextCounters(
    long classes,
    long failed,
    long noSlot,
    long reclaimed,
    long noRoom,
    long unnamedRoots,
    long otherEndpoints,
    long otherValues) {
  // words behind the table, see JebpfContext
  static final int NO_SLOT = 0;
  static final int NO_ROOM = 1;
  static final int NAMES_FULL = 2;
  static final int FAILED = 3;
  static final int TAKEN_OVER = 4;

  /** Under the names that users see. */
  public Map<String, Long> byName() {
    Map<String, Long> named = new LinkedHashMap<>();
    named.put("classes_changed", classes);
    named.put("failed", failed);
    named.put("no_slot", noSlot);
    named.put("slots_reclaimed", reclaimed);
    named.put("no_room", noRoom);
    named.put("unnamed_roots", unnamedRoots);
    named.put("other_endpoints", otherEndpoints);
    named.put("other_values", otherValues);
    return named;
  }

  public static final ContextCounters ZERO = new ContextCounters(0, 0, 0, 0, 0, 0, 0, 0);
}
