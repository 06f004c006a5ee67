package io.jebpf.agent.attach;

/** An attach that cannot be: why, and what to do about it. */
public final class AttachException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String advice;

  /** Empty advice: nothing can be done. */
  public AttachException(String why, String advice) {
    super(why);
    this.advice = advice;
  }

  public String advice() {
    return advice;
  }
}
