package io.jebpf.agent;

/**
 * The one factory of the agent's threads: daemon, named {@code jebpf-*}, our context class loader,
 * and nothing thrown out of them.
 */
final class AgentThreads {
  private AgentThreads() {}

  interface Work {
    void run() throws Exception;
  }

  /** What to do when the work fails; must not throw. */
  interface OnFailure {
    void failed(Throwable cause);
  }

  static Thread start(String name, Work work, OnFailure onFailure) {
    Thread thread = create(name, work, onFailure);
    thread.start();
    return thread;
  }

  /** Without memory even telling may fail; then nobody is told, and the thread ends in silence. */
  private static void tell(OnFailure onFailure, Throwable cause) {
    try {
      onFailure.failed(cause);
    } catch (Throwable untold) {
      return; // not even a note of it, which would take memory again
    }
  }

  /** Not started: for a shutdown hook. */
  static Thread create(String name, Work work, OnFailure onFailure) {
    Thread thread =
        new Thread(
            null,
            () -> {
              try {
                work.run();
              } catch (Throwable cause) { // the agent's edge: nothing may reach the application
                tell(onFailure, cause);
              }
            },
            "jebpf-" + name,
            0,
            false);
    thread.setDaemon(true);
    thread.setContextClassLoader(AgentThreads.class.getClassLoader());
    return thread;
  }
}
