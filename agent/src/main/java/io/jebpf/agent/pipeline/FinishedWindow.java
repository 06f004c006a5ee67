package io.jebpf.agent.pipeline;

import io.jebpf.agent.pprof.ProfileHeader;
import io.jebpf.agent.window.Window;
import java.time.Instant;

/** A window on its way to the writer, which gives the window back when it is written. */
record FinishedWindow(Window window, ProfileHeader header, Instant start) {}
