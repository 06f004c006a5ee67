package io.jebpf.it.context;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextKey;
import io.opentelemetry.context.Scope;
import java.lang.instrument.Instrumentation;
import java.util.concurrent.atomic.AtomicLong;
import net.bytebuddy.agent.ByteBuddyAgent;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.matcher.ElementMatchers;

/**
 * Uses OpenTelemetry long before an agent comes, and when it has gone; and has a Byte Buddy of its
 * own, which changes the same class. Says four times a second whether our hook runs ({@code
 * hooked}), and how often the other change has run ({@code seen}). Argument: seconds.
 */
public final class LateLoad {
  public static final String SPAN = "00000000000000b1";
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
  private static volatile long sink;

  /** Counted by the application's own instrumentation. */
  public static final AtomicLong SEEN = new AtomicLong();

  private LateLoad() {}

  /** Inlined into the storage's attach by the application. */
  public static final class Counting {
    private Counting() {}

    @Advice.OnMethodEnter
    static void enter() {
      SEEN.incrementAndGet();
    }
  }

  public static void main(String[] arguments) {
    long end = System.nanoTime() + Long.parseLong(arguments[0]) * 1_000_000_000L;
    attachAndWork(1);
    changeIt(ByteBuddyAgent.install());
    while (System.nanoTime() < end) {
      attachAndWork(250);
      System.out.println("hooked=" + isHooked() + " seen=" + (SEEN.get() > 0));
    }
  }

  private static void changeIt(Instrumentation instrumentation) {
    new AgentBuilder.Default()
        .disableClassFormatChanges()
        .with(AgentBuilder.RedefinitionStrategy.RETRANSFORMATION)
        .type(ElementMatchers.named("io.opentelemetry.context.ThreadLocalContextStorage"))
        .transform(
            (builder, type, loader, module, domain) ->
                builder.visit(Advice.to(Counting.class).on(ElementMatchers.named("attach"))))
        .installOn(instrumentation);
  }

  /** Of nobody's interest but the hook's: the library itself does not look into a context. */
  private static final class Probe implements Context {
    private int looks;

    @Override
    public <V> V get(ContextKey<V> key) {
      looks++;
      return null;
    }

    @Override
    public <V> Context with(ContextKey<V> key, V value) {
      return this;
    }
  }

  /** What the JVM runs now, whoever changed it. */
  @SuppressWarnings("try") // a scope is closed, not used
  private static boolean isHooked() {
    Probe probe = new Probe();
    try (Scope scope = probe.makeCurrent()) {
      return probe.looks > 0;
    }
  }

  @SuppressWarnings("try") // a scope is closed, not used
  private static void attachAndWork(long millis) {
    Span span =
        Span.wrap(
            SpanContext.create(TRACE, SPAN, TraceFlags.getSampled(), TraceState.getDefault()));
    long end = System.nanoTime() + millis * 1_000_000;
    while (System.nanoTime() < end) {
      try (Scope scope = span.makeCurrent()) {
        inside();
      }
    }
  }

  static void inside() {
    long end = System.nanoTime() + 1_000_000;
    long value = sink;
    while (System.nanoTime() < end) {
      for (int i = 0; i < 200; i++) {
        value = value * 6364136223846793005L + 1442695040888963407L;
      }
    }
    sink = value;
  }
}
