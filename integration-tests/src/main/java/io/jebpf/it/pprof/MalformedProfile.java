package io.jebpf.it.pprof;

/** Bytes that are not a pprof profile; the message says where and why. */
public final class MalformedProfile extends RuntimeException {
  private static final long serialVersionUID = 1;

  MalformedProfile(String message) {
    super(message);
  }

  MalformedProfile(String message, Throwable cause) {
    super(message, cause);
  }
}
