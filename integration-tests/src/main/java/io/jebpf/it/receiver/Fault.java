package io.jebpf.it.receiver;

/** What a server can do wrong, beside answering with an error. */
public enum Fault {
  /** Does what it should. */
  NONE,
  /** Takes the connection and says nothing, and reads nothing. */
  HANG_AT_ONCE,
  /** Reads the whole request and says nothing; has not stored it. */
  HANG_AFTER_REQUEST,
  /** Stores the request and then says nothing. */
  HANG_AFTER_STORING,
  /** Reads half of the body and resets the connection. */
  RESET_IN_BODY,
  /** Reads the request, does not store it, and resets. */
  RESET_AFTER_REQUEST,
  /** Closes its side of the connection without an answer, and keeps the other open. */
  HALF_CLOSE,
  /** Answers with what is not HTTP. */
  GARBAGE,
  /** Answers with HTTP that is endless. */
  ENDLESS,
  /** Answers a byte at a time, too slow to ever end. */
  SLOW
}
