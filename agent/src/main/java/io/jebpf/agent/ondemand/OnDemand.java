package io.jebpf.agent.ondemand;

import io.jebpf.agent.engine.Engine;
import io.jebpf.agent.history.History;
import io.jebpf.agent.options.Options;

/** What can be asked of the running profiler. Thread-safe. */
public record OnDemand(Profiles profiles, Recordings recordings, Streams streams, History history) {

  public static OnDemand of(
      Profiles.Stream stream, History history, Options options, Engine.Facts facts) {
    Profiles profiles =
        new Profiles(stream, history, options, facts.mainBinary(), System::nanoTime);
    return new OnDemand(
        profiles,
        new Recordings(profiles, history, System::nanoTime),
        new Streams(System::nanoTime),
        history);
  }

  /** Once in a while: ends what was forgotten. */
  public void maintain() {
    recordings.maintain();
    streams.maintain();
  }
}
