package io.jebpf.agent.vthread;

/** Parks of virtual threads cannot be seen in this JVM; the message says why. */
public final class HookException extends Exception {
  private static final long serialVersionUID = 1;

  HookException(String why) {
    super(why);
  }

  HookException(String why, Throwable cause) {
    super(why, cause);
  }
}
