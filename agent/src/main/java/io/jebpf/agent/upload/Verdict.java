package io.jebpf.agent.upload;

/**
 * What a server's reply means for the profile that was sent.
 *
 * @param kind what to do
 * @param why for people; empty when it is done
 * @param retryAfterMillis how long the server asks to be left alone; 0 when it does not
 * @param uncertain the server may have taken the profile all the same
 */
record Verdict(Kind kind, String why, long retryAfterMillis, boolean uncertain) {
  /** What to do next. */
  enum Kind {
    /** The server has it. */
    DONE,
    /** The server or the way to it is not well; the profile has nothing to do with it. */
    RETRY,
    /** It may be the profile, it may be the server: other profiles will tell. */
    SUSPECT,
    /** The server does not know us. Profiles are kept; somebody has to do something. */
    DENIED,
    /** Final: the same request will get the same answer. */
    REFUSED
  }

  static Verdict done() {
    return new Verdict(Kind.DONE, "", 0, false);
  }

  static Verdict of(Kind kind, String why) {
    return new Verdict(kind, why, 0, kind == Kind.SUSPECT);
  }
}
