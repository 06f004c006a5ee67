package io.jebpf.api;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;

/**
 * The way from the application's classes to the agent. The JVM puts the agent's jar on the system
 * class loader's path, where its only visible class {@code io.jebpf.Agent} is found from anywhere,
 * whatever loader this class is in; what it hands out is made of the JDK's types alone: a function
 * of an operation's name and its arguments. Operations are a contract between versions: new ones
 * may come, none changes its meaning.
 *
 * <p>The reference is asked for until the agent is there, once a second at most, and then kept: an
 * agent that is attached or detached later is seen at the next call. Thread-safe.
 */
final class Link {
  private static final String AGENT = "io.jebpf.Agent";
  private static final String METHOD = "api";
  private static final long RETRY_NANOS = 1_000_000_000L;

  /** Null until the agent's class is there. */
  private static volatile AtomicReference<BiFunction<String, Object[], Object>> agent;

  private static volatile long triedNanos = System.nanoTime() - RETRY_NANOS;

  private Link() {}

  /**
   * Calls the agent; null where there is none, or where it does not know the operation. What the
   * agent throws comes through: unchecked exceptions of the JDK.
   */
  static Object call(String operation, Object... arguments) {
    AtomicReference<BiFunction<String, Object[], Object>> reference = agent;
    if (reference == null) {
      reference = find();
    }
    BiFunction<String, Object[], Object> running = reference == null ? null : reference.get();
    return running == null ? null : running.apply(operation, arguments);
  }

  /** Whether an agent runs in this JVM. */
  static boolean isPresent() {
    AtomicReference<BiFunction<String, Object[], Object>> reference = agent;
    if (reference == null) {
      reference = find();
    }
    return reference != null && reference.get() != null;
  }

  @SuppressWarnings("unchecked")
  private static AtomicReference<BiFunction<String, Object[], Object>> find() {
    long now = System.nanoTime();
    if (now - triedNanos < RETRY_NANOS) {
      return null;
    }
    triedNanos = now;
    try {
      Class<?> found = Class.forName(AGENT, true, ClassLoader.getSystemClassLoader());
      agent =
          (AtomicReference<BiFunction<String, Object[], Object>>)
              found.getMethod(METHOD).invoke(null);
    } catch (ReflectiveOperationException | LinkageError | RuntimeException e) {
      return null; // no agent in this JVM, or one that is older than this class
    }
    return agent;
  }
}
