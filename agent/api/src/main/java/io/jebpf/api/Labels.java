package io.jebpf.api;

import java.util.concurrent.Callable;
import java.util.function.Supplier;

/**
 * Labels on everything the current thread does and waits for, as long as an action runs:
 *
 * <pre>
 *   Labels.with("tenant", id, () -&gt; handle(request));
 * </pre>
 *
 * <p>They end up on the samples of jebpf's profiles. A label inside another one of the same key
 * hides it; when the action ends, however it does, the thread's labels are what they were before. A
 * virtual thread keeps its labels wherever it is mounted. Threads that the action starts, or hands
 * work to, do not inherit them.
 *
 * <p>Keys are letters, digits and {@code _}; there may be at most 63 different ones in a JVM. All
 * labels of a thread together have room for about 200 bytes of text; one that does not fit is left
 * out, and counted. Without the agent nothing is done, and costs nothing.
 */
public final class Labels {
  private Labels() {}

  /** Runs an action under a label. */
  public static void with(String key, String text, Runnable action) {
    int token = push(key, text);
    try {
      action.run();
    } finally {
      pop(token);
    }
  }

  /** Runs an action under a label, and returns its result. */
  public static <T> T get(String key, String text, Supplier<? extends T> action) {
    int token = push(key, text);
    try {
      return action.get();
    } finally {
      pop(token);
    }
  }

  /** Runs an action under a label, and returns its result. */
  public static <T> T call(String key, String text, Callable<? extends T> action) throws Exception {
    int token = push(key, text);
    try {
      return action.call();
    } finally {
      pop(token);
    }
  }

  // The agent changes the two methods below. Their names and signatures are the contract with it.

  /** Puts a label on the current thread; returns what {@link #pop} needs to take it away. */
  private static int push(String key, String text) {
    return -1;
  }

  private static void pop(int token) {}
}
