package io.jebpf.agent.ondemand;

import io.jebpf.agent.history.Filter;
import io.jebpf.agent.pprof.ProfileKind;

/**
 * A profile that somebody wants.
 *
 * @param fromNanos first moment, on the clock of System.nanoTime
 * @param toNanos end, exclusive
 */
public record Query(ProfileKind kind, Format format, long fromNanos, long toNanos, Filter filter) {

  /** By its name, as users write it. */
  public static ProfileKind kind(String name) throws OnDemandException {
    return ProfileKind.named(name)
        .orElseThrow(
            () -> OnDemandException.request("kind " + name + ": there are cpu, offcpu and wall"));
  }
}
