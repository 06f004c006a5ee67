package io.jebpf.agent.ondemand;

/** Why a profile that was asked for cannot be had. The message is for the one who asked. */
public final class OnDemandException extends Exception {
  private static final long serialVersionUID = 1;

  private final Reason reason;

  /** Whose turn it is. */
  public enum Reason {
    /** What was asked for makes no sense: another request is needed. */
    REQUEST,
    /** There is no such thing, or not any more. */
    MISSING,
    /** Not now: later the same request may do. */
    BUSY
  }

  public OnDemandException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }

  static OnDemandException request(String message) {
    return new OnDemandException(Reason.REQUEST, message);
  }

  static OnDemandException missing(String message) {
    return new OnDemandException(Reason.MISSING, message);
  }

  static OnDemandException busy(String message) {
    return new OnDemandException(Reason.BUSY, message);
  }
}
