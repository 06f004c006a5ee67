package io.jebpf.agent.upload;

import java.net.http.HttpClient;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names the JDK client's selector thread as ours are named: in a thread dump it would be one of the
 * application's otherwise. The client has no setting for it.
 */
final class SelectorName {
  private static final int THREADS_MAX = 100_000;

  /** How a client of the JDK prints itself: its number, which its thread has as well. */
  private static final Pattern NUMBER = Pattern.compile("\\(([0-9]+)\\)$");

  private SelectorName() {}

  /** Called by the thread that made the client: the new thread is in the same group. */
  static void set(HttpClient client) {
    Matcher number = NUMBER.matcher(client.toString());
    if (!number.find()) {
      return; // another client than we know: the thread keeps its name
    }
    String name = "HttpClient-" + number.group(1) + "-SelectorManager";
    ThreadGroup group = Thread.currentThread().getThreadGroup();
    Thread[] threads = new Thread[Math.min(THREADS_MAX, 2 * group.activeCount() + 16)];
    int count = group.enumerate(threads, false);
    for (int i = 0; i < count; i++) {
      if (threads[i].getName().equals(name)) {
        threads[i].setName("jebpf-http-select");
      }
    }
  }
}
