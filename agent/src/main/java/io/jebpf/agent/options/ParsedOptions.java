package io.jebpf.agent.options;

/** Outcome of reading the options: all of them, or the one line that says what is wrong. */
public sealed interface ParsedOptions {

  record Accepted(Options options) implements ParsedOptions {}

  /**
   * @param problem what is wrong, with the key, the value and where it came from
   * @param choices the valid choices, as a sentence
   */
  record Refused(String problem, String choices) implements ParsedOptions {}
}
