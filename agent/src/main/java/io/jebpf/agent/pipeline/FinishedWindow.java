package io.jebpf.agent.pipeline;

import io.jebpf.agent.history.Mark;
import io.jebpf.agent.window.Window;
import java.time.Instant;
import java.util.List;

/**
 * A window on its way to the writer, which gives the window back when it is written.
 *
 * @param serial 1 for the first
 * @param begin figures when it began
 * @param end figures when it ended
 */
record FinishedWindow(
    Window window,
    List<PlannedProfile> profiles,
    Instant start,
    long serial,
    Mark begin,
    Mark end) {
  FinishedWindow {
    profiles = List.copyOf(profiles);
  }
}
