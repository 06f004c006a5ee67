package io.jebpf.agent.doctor;

/**
 * One way out, to be copied as it stands.
 *
 * @param where what it is for
 * @param text one line
 */
record Remedy(Where where, String text) {
  /** Who runs the JVM. */
  enum Where {
    /** A shell. */
    COMMAND("command"),
    /** An option of the agent. */
    OPTION("option"),
    /** Lines for the section [Service] of a unit. */
    SYSTEMD("systemd"),
    /** Arguments of {@code docker run} or {@code podman run}. */
    DOCKER("docker"),
    /** Fields of a pod or container, as YAML on one line. */
    KUBERNETES("kubernetes"),
    /** The machine itself. */
    HOST("host");

    private final String text;

    Where(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }
  }

  static Remedy command(String text) {
    return new Remedy(Where.COMMAND, text);
  }

  static Remedy option(String text) {
    return new Remedy(Where.OPTION, text);
  }

  static Remedy systemd(String text) {
    return new Remedy(Where.SYSTEMD, text);
  }

  static Remedy docker(String text) {
    return new Remedy(Where.DOCKER, text);
  }

  static Remedy kubernetes(String text) {
    return new Remedy(Where.KUBERNETES, text);
  }

  static Remedy host(String text) {
    return new Remedy(Where.HOST, text);
  }
}
