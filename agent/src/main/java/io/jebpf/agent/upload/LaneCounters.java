package io.jebpf.agent.upload;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What became of the profiles that were meant for one server. Thread-safe. At any time {@link
 * Count#TAKEN} = {@link Count#SENT} + what waits + everything that was dropped.
 */
final class LaneCounters {
  /** Names are part of what users may rely on; docs/delivery.md lists them. */
  enum Count {
    /** Profiles that came, from this JVM and from the spools of dead ones. */
    TAKEN("taken"),
    /** Of these, from the spools of dead JVMs. */
    ADOPTED("adopted"),
    /** Taken by the server, whole. */
    SENT("sent"),
    SENT_BYTES("sent_bytes"),
    REQUESTS("requests"),
    /** Requests that got no good answer and were, or will be, made again. */
    RETRIES("retries"),
    /** Requests made again although the server may have taken the one before. */
    REPEATED("repeated"),
    /** The server will never take it, and says so. */
    DROPPED_REFUSED("dropped_refused"),
    /** Set aside after several tries while others were taken. */
    DROPPED_POISON("dropped_poison"),
    /** Older than the server takes. */
    DROPPED_TOO_OLD("dropped_too_old"),
    /** Gone from the spool to stay within the budget. */
    DROPPED_DISK("dropped_disk"),
    /** Gone from memory, where profiles wait when the disk cannot be written. */
    DROPPED_MEMORY("dropped_memory"),
    /** The file was damaged. */
    DROPPED_UNREADABLE("dropped_unreadable"),
    /** In memory when the JVM ended. */
    DROPPED_END("dropped_end");

    private final String key;

    Count(String key) {
      this.key = key;
    }
  }

  private final AtomicLongArray counts = new AtomicLongArray(Count.values().length);

  void add(Count count, long more) {
    counts.addAndGet(count.ordinal(), more);
  }

  long get(Count count) {
    return counts.get(count.ordinal());
  }

  /** By name. */
  Map<String, Long> all() {
    Map<String, Long> all = new LinkedHashMap<>();
    for (Count count : Count.values()) {
      all.put(count.key, get(count));
    }
    return all;
  }
}
