package io.jebpf.agent.ondemand;

/** Where a recording is in its life; it goes one way. */
public enum RecordingState {
  NEW,
  RUNNING,
  STOPPED
}
