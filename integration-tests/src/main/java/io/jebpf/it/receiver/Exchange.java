package io.jebpf.it.receiver;

import java.util.Map;

/** A request as it came, whole. Header names are in lower case. */
public record Exchange(String method, String path, Map<String, String> headers, byte[] body) {
  /** What is answered. */
  public record Answer(int status, Map<String, String> headers, byte[] body) {}

  /** A server's mind: decides on a whole request. */
  public interface Handler {
    Answer answer(Exchange request);
  }
}
