package io.jebpf.it.receiver;

import io.jebpf.it.pprof.Profile;
import java.util.Map;

/**
 * A profile that a receiver took.
 *
 * @param series labels of its series
 * @param id the id that came with it; empty where the protocol has none
 */
public record Received(Map<String, String> series, String id, Profile profile) {
  /** The metric and the start: what tells one measured profile from another. */
  public String key() {
    return series.get("__name__") + "@" + profile.timeNanos();
  }
}
