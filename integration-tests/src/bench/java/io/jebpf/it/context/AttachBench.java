package io.jebpf.it.context;

import io.jebpf.api.Labels;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the agent adds to one attach and close, with another span each time, so that no id is in a
 * register, and what our API costs. Run it with and without the agent.
 */
@State(org.openjdk.jmh.annotations.Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class AttachBench {
  /**
   * How many spans there are in turn. A span is made current when it was just made, so what it
   * consists of is in the first cache, as that of 16 is; of 1,024 it is in the second.
   */
  @Param({"16", "1024"})
  public int spans;

  private Context[] contexts = {};
  private int next;
  private long work;
  private final Runnable action = () -> work++;

  /** Real spans of the SDK. */
  @Setup
  public void start() {
    contexts = new Context[spans];
    Tracer tracer = SdkTracerProvider.builder().build().get("bench");
    for (int i = 0; i < spans; i++) {
      Span span = tracer.spanBuilder("span").setNoParent().startSpan();
      contexts[i] = Context.root().with(span);
    }
  }

  /** Attach and close, from no span and back to none. */
  @Benchmark
  public void attachAndClose() {
    try (Scope scope = contexts[next++ & (spans - 1)].makeCurrent()) {
      work++;
    }
  }

  /** Attach and close of a span inside another: two attaches, two closes. */
  @Benchmark
  public void attachAndCloseTwice() {
    int i = next++;
    try (Scope outer = contexts[i & (spans - 1)].makeCurrent()) {
      try (Scope inner = contexts[i + spans / 2 & (spans - 1)].makeCurrent()) {
        work++;
      }
    }
  }

  /** What there is to compare the API with. */
  @Benchmark
  public void runAlone() {
    action.run();
  }

  /** Our API. */
  @Benchmark
  public void runLabelled() {
    Labels.with("tenant", "alpha", action);
  }
}
