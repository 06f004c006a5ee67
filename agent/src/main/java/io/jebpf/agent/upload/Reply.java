package io.jebpf.agent.upload;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;

/** How a request ended. */
public sealed interface Reply {

  /**
   * The server answered.
   *
   * @param headers by lower-case name
   * @param body its beginning
   */
  record Answer(int status, Map<String, String> headers, byte[] body) implements Reply {
    private static final int SHOWN_CHARS_MAX = 300;

    /** Seconds of Retry-After in milliseconds; 0 when there is none, or it is a date. */
    long retryAfterMillis() {
      String seconds = headers.getOrDefault("retry-after", "").strip();
      return seconds.matches("[0-9]{1,6}") ? 1000 * Long.parseLong(seconds) : 0;
    }

    String text() {
      return new String(body, StandardCharsets.UTF_8);
    }

    /** For a log line: the status and what the server says. */
    String shown() {
      String text = text().replaceAll("\\p{Cntrl}+", " ").strip();
      String cut = text.substring(0, Math.min(text.length(), SHOWN_CHARS_MAX));
      return String.format(Locale.ROOT, "HTTP %d%s", status, cut.isEmpty() ? "" : " " + cut);
    }
  }

  /**
   * There was no answer, or none that is HTTP.
   *
   * @param uncertain the whole request had left: the server may have taken it
   */
  record NoAnswer(String why, boolean uncertain) implements Reply {}
}
