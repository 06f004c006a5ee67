package io.jebpf.agent.pipeline;

import io.jebpf.agent.window.Window;
import java.time.Instant;
import java.util.List;

/** A window on its way to the writer, which gives the window back when it is written. */
record FinishedWindow(Window window, List<PlannedProfile> profiles, Instant start) {
  FinishedWindow {
    profiles = List.copyOf(profiles);
  }
}
