package io.jebpf.agent.vthread;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * What becomes of the class file of {@code java.lang.VirtualThread}. Pure.
 *
 * @param classFile with the calls redirected
 * @param states of a thread, for the calls that are redirected, by field of {@code
 *     java.lang.JebpfParks}
 * @param withoutUnparks why it is not seen when a thread is unparked; empty when it is, or nobody
 *     asked
 * @param withoutMonitors the same for threads that the JVM unmounts
 */
record ThreadChange(
    byte[] classFile,
    Map<String, Integer> states,
    Optional<String> withoutUnparks,
    Optional<String> withoutMonitors) {
  private static final String TARGET = "java/lang/JebpfParks";
  private static final String CONTINUATION = "jdk/internal/vm/Continuation";
  private static final String YIELD = "yield";
  private static final String YIELD_DESCRIPTOR = "(Ljdk/internal/vm/ContinuationScope;)Z";

  /** A method that is called in one place, and the static one that is called there instead. */
  private record Call(String owner, String name, String descriptor, String staticDescriptor) {
    @Override
    public String toString() {
      return owner.substring(owner.lastIndexOf('/') + 1) + "." + name;
    }
  }

  /** By which a carrier runs a thread, until that leaves it. */
  private static final Call RUN =
      new Call(CONTINUATION, "run", "()V", "(Ljdk/internal/vm/Continuation;)V");

  /** By which a thread's state changes where others may change it as well: at all unparks. */
  private static final Call STATE_CHANGE =
      new Call(
          "jdk/internal/misc/Unsafe",
          "compareAndSetInt",
          "(Ljava/lang/Object;JII)Z",
          "(Ljdk/internal/misc/Unsafe;Ljava/lang/Object;JII)Z");

  /** The JDK's constants, and our fields for them. */
  private static final Map<String, String> UNMOUNTED =
      new TreeMap<>(
          Map.of("BLOCKING", "blocking", "WAITING", "waiting", "TIMED_WAITING", "timedWaiting"));

  private static final Map<String, String> UNPARKED =
      new TreeMap<>(Map.of("UNPARKED", "unparked", "TIMED_PARKED", "timedParked"));

  /** The same where the JVM unmounts threads. */
  private static final Map<String, String> RUNNABLE = new TreeMap<>(UNPARKED);

  static {
    RUNNABLE.putAll(Map.of("UNBLOCKED", "unblocked", "TIMED_WAIT", "timedWait"));
  }

  /**
   * The change, empty when the class does not call {@code Continuation.yield}.
   *
   * @param unparks whether to change the call by which a thread's state changes as well
   * @param monitors whether to change the call of {@code Continuation.run} as well
   * @throws RuntimeException this is no class file as known today
   */
  static Optional<ThreadChange> of(byte[] classFile, boolean unparks, boolean monitors) {
    return YieldCall.redirect(classFile, CONTINUATION, YIELD, YIELD_DESCRIPTOR, TARGET)
        .map(
            changed -> {
              Draft draft = new Draft(changed);
              Optional<String> withoutUnparks =
                  unparks
                      ? draft.whyNot(STATE_CHANGE, monitors ? RUNNABLE : UNPARKED)
                      : Optional.empty();
              Optional<String> withoutMonitors =
                  monitors ? draft.whyNot(RUN, UNMOUNTED) : Optional.empty();
              return new ThreadChange(
                  draft.classFile, draft.states, withoutUnparks, withoutMonitors);
            });
  }

  /** The class file as it is so far. */
  private static final class Draft {
    private final Map<String, Integer> states = new TreeMap<>();
    private byte[] classFile;

    Draft(byte[] classFile) {
      this.classFile = classFile;
    }

    /** Redirects the call, which needs such constants; or says why that stays as it is. */
    Optional<String> whyNot(Call call, Map<String, String> constants) {
      Map<String, Integer> found = new TreeMap<>();
      for (Map.Entry<String, String> constant : constants.entrySet()) {
        // read from the file: to ask the class would initialise it before the application does
        OptionalInt number = YieldCall.constant(classFile, constant.getKey());
        if (number.isEmpty()) {
          return Optional.of("java.lang.VirtualThread has no state " + constant.getKey());
        }
        found.put(constant.getValue(), number.getAsInt());
      }
      Optional<byte[]> redirected =
          YieldCall.redirectToStatic(
              classFile, call.owner, call.name, call.descriptor, TARGET, call.staticDescriptor);
      if (redirected.isEmpty()) {
        return Optional.of("java.lang.VirtualThread does not call " + call + " in just one place");
      }
      classFile = redirected.get();
      states.putAll(found);
      return Optional.empty();
    }
  }
}
