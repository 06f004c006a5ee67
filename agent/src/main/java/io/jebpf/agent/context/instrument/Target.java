package io.jebpf.agent.context.instrument;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The classes that are instrumented, by name and nothing else. Names of libraries that are often
 * copied under another name into another jar end in the library's own name: whatever stands before
 * it is the {@code prefix} under which all of the copy's classes are found.
 */
enum Target {
  /** Sets the thread's context, at the begin and end of scopes. */
  OTEL_CONTEXT(
      "io/opentelemetry/context/ThreadLocalContextStorage",
      "io/opentelemetry/context/ThreadLocalContextStorage$ScopeImpl"),
  /** Starts and renames spans. */
  OTEL_SPAN(
      "io/opentelemetry/sdk/trace/SdkSpan", "io/opentelemetry/sdk/trace/RecordEventsReadableSpan"),
  BRAVE_CONTEXT(
      "brave/propagation/ThreadLocalCurrentTraceContext",
      "brave/propagation/ThreadLocalCurrentTraceContext$RevertToPreviousScope",
      "brave/propagation/ThreadLocalCurrentTraceContext$RevertToNullScope"),
  SERVLET("javax/servlet/http/HttpServlet", "jakarta/servlet/http/HttpServlet"),
  HTTP_SERVER("com/sun/net/httpserver/Filter$Chain"),
  LABELS("io/jebpf/api/Labels");

  private static final Target[] ALL = values();

  /** What javax and jakarta have in common. */
  private static final List<String> SERVLET_NAMES = List.of("servlet/http/HttpServlet");

  private static final Set<String> SIMPLE_NAMES =
      Arrays.stream(ALL)
          .flatMap(target -> target.names.stream())
          .map(Target::simpleName)
          .collect(Collectors.toUnmodifiableSet());

  private final List<String> names;

  Target(String... names) {
    this.names = List.of(names);
  }

  /** The target that a class is; empty for nearly every class. */
  static Optional<Target> of(String internalName) {
    return SIMPLE_NAMES.contains(simpleName(internalName)) ? find(internalName) : Optional.empty();
  }

  private static String simpleName(String internalName) {
    return internalName.substring(internalName.lastIndexOf('/') + 1);
  }

  private static Optional<Target> find(String internalName) {
    for (Target target : ALL) {
      for (String name : target.names) {
        if (internalName.endsWith(name)
            && (internalName.length() == name.length() || target.isRelocated(internalName, name))) {
          return Optional.of(target);
        }
      }
    }
    return Optional.empty();
  }

  private boolean isRelocated(String internalName, String name) {
    return internalName.charAt(internalName.length() - name.length() - 1) == '/';
  }

  /** What stands before the library's own name; empty when it is not relocated. */
  String prefix(String internalName) {
    for (String name : this == SERVLET ? SERVLET_NAMES : names) {
      if (internalName.endsWith(name)) {
        return internalName.substring(0, internalName.length() - name.length());
      }
    }
    return "";
  }

  /** Whether the endpoints of requests come from it. */
  boolean isRequest() {
    return this == SERVLET || this == HTTP_SERVER;
  }
}
