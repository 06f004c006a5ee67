package io.jebpf.it.context;

import io.jebpf.it.workload.AgentGate;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Scope;
import java.time.Duration;
import java.time.Instant;

/**
 * Says when main began and how long the first span took to attach and close. Arguments: the instant
 * at which the JVM was started, and {@code wait} to begin the span when the agent samples, {@code
 * now} to do it at once, {@code never} to use no library that is instrumented.
 */
public final class StartLoad {
  private StartLoad() {}

  public static void main(String[] arguments) throws Exception {
    Instant main = Instant.now();
    System.out.println(
        "main.micros=" + Duration.between(Instant.parse(arguments[0]), main).toNanos() / 1_000);
    if (arguments[1].equals("wait")) {
      AgentGate.await();
    }
    if (!arguments[1].equals("never")) {
      long start = System.nanoTime();
      Attached.run();
      System.out.println("first.micros=" + (System.nanoTime() - start) / 1_000);
    }
    System.out.println(
        "done.micros="
            + Duration.between(Instant.parse(arguments[0]), Instant.now()).toNanos() / 1_000);
    // the agent's start is not waited for: what it does to the end of the JVM is not asked here
    Runtime.getRuntime().halt(0);
  }

  /** The library's classes are loaded with this one. */
  private static final class Attached {
    @SuppressWarnings("try") // a scope is closed, not used
    static void run() {
      Span span =
          Span.wrap(
              SpanContext.create(
                  "0af7651916cd43dd8448eb211c80319c",
                  "00000000000000a1",
                  TraceFlags.getSampled(),
                  TraceState.getDefault()));
      try (Scope scope = span.makeCurrent()) {
        Thread.onSpinWait();
      }
    }
  }
}
