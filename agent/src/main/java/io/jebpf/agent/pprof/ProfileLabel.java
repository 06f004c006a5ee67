package io.jebpf.agent.pprof;

/**
 * The string labels that samples can have, beside the user's own; in the order they are written.
 */
public enum ProfileLabel {
  THREAD("thread"),
  STATE("state"),
  WAIT("wait"),
  WAKER("waker"),
  IDLE("idle");

  private final String key;

  ProfileLabel(String key) {
    this.key = key;
  }

  public String key() {
    return key;
  }
}
