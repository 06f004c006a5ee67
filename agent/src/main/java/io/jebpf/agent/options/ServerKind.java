package io.jebpf.agent.options;

/** The kinds of servers that profiles can be sent to. */
public enum ServerKind {
  PYROSCOPE("pyroscope"),
  PARCA("parca"),
  OTLP("otlp");

  private final String key;

  ServerKind(String key) {
    this.key = key;
  }

  /** The option, the directory in the spool and the beginning of the counters' names. */
  public String key() {
    return key;
  }
}
