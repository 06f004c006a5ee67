package io.jebpf.agent.engine;

import io.jebpf.agent.log.Trouble;

/** The environment says no, at start or later: which trouble it is, why, and what to do. */
public final class EngineException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Why a start ends that was called off: no trouble at all. */
  static final String CANCELLED = "the JVM is ending";

  private final Trouble trouble;
  private final String advice;

  public EngineException(Trouble trouble, String why, String advice, Throwable cause) {
    super(why, cause);
    this.trouble = trouble;
    this.advice = advice;
  }

  public EngineException(Trouble trouble, String why) {
    super(why);
    this.trouble = trouble;
    this.advice = "";
  }

  public Trouble trouble() {
    return trouble;
  }

  /** Empty: the trouble's own hint is the best there is. */
  public String advice() {
    return advice;
  }
}
