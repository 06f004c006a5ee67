package io.jebpf.agent.vthread;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * What becomes of the class file of {@code java.lang.VirtualThread}. Pure.
 *
 * @param classFile with the calls redirected
 * @param states of a thread that the JVM has just unmounted, by field of {@code
 *     java.lang.JebpfParks}; empty when those threads are not seen
 * @param withoutMonitors why not; empty when they are, or nobody asked for them
 */
record ThreadChange(
    byte[] classFile, Map<String, Integer> states, Optional<String> withoutMonitors) {
  private static final String CONTINUATION = "jdk/internal/vm/Continuation";
  private static final String YIELD = "yield";
  private static final String YIELD_DESCRIPTOR = "(Ljdk/internal/vm/ContinuationScope;)Z";
  private static final String RUN = "run";
  private static final String RUN_DESCRIPTOR = "()V";
  private static final String STATIC_RUN_DESCRIPTOR = "(Ljdk/internal/vm/Continuation;)V";
  private static final String TARGET = "java/lang/JebpfParks";

  /** The JDK's constants, and our fields for them. */
  private static final Map<String, String> STATES =
      new TreeMap<>(
          Map.of("BLOCKING", "blocking", "WAITING", "waiting", "TIMED_WAITING", "timedWaiting"));

  /**
   * The change, empty when the class does not call {@code Continuation.yield}.
   *
   * @param monitors whether to change the call of {@code Continuation.run} as well
   * @throws RuntimeException this is no class file as known today
   */
  static Optional<ThreadChange> of(byte[] classFile, boolean monitors) {
    return YieldCall.redirect(classFile, CONTINUATION, YIELD, YIELD_DESCRIPTOR, TARGET)
        .map(
            changed ->
                monitors
                    ? withMonitors(changed)
                    : new ThreadChange(changed, Map.of(), Optional.empty()));
  }

  private static ThreadChange withMonitors(byte[] changed) {
    Map<String, Integer> states = new TreeMap<>();
    for (Map.Entry<String, String> state : STATES.entrySet()) {
      // read from the file: to ask the class would initialise it before the application does
      OptionalInt number = YieldCall.constant(changed, state.getKey());
      if (number.isEmpty()) {
        return without(changed, "java.lang.VirtualThread has no state " + state.getKey());
      }
      states.put(state.getValue(), number.getAsInt());
    }
    return YieldCall.redirectToStatic(
            changed, CONTINUATION, RUN, RUN_DESCRIPTOR, TARGET, STATIC_RUN_DESCRIPTOR)
        .map(both -> new ThreadChange(both, states, Optional.empty()))
        .orElseGet(
            () ->
                without(
                    changed,
                    "java.lang.VirtualThread does not call Continuation.run in just one place"));
  }

  private static ThreadChange without(byte[] changed, String why) {
    return new ThreadChange(changed, Map.of(), Optional.of(why));
  }
}
