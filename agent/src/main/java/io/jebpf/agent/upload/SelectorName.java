package io.jebpf.agent.upload;

/**
 * Names the JDK client's selector thread as ours are named: in a thread dump it would be one of the
 * application's otherwise. The client has no setting for it.
 */
final class SelectorName {
  private static final int THREADS_MAX = 100_000;

  private SelectorName() {}

  /** Called by the thread that made the client: the new thread is in the same group. */
  static void set() {
    ThreadGroup group = Thread.currentThread().getThreadGroup();
    Thread[] threads = new Thread[Math.min(THREADS_MAX, 2 * group.activeCount() + 16)];
    int count = group.enumerate(threads, false);
    for (int i = 0; i < count; i++) {
      ClassLoader context = threads[i].getContextClassLoader();
      if (threads[i].getName().matches("HttpClient-[0-9]+-SelectorManager")
          && context == SelectorName.class.getClassLoader()) {
        threads[i].setName("jebpf-http-select");
      }
    }
  }
}
