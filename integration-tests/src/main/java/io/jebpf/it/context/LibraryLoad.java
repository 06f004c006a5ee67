package io.jebpf.it.context;

import brave.Tracing;
import brave.propagation.CurrentTraceContext;
import brave.propagation.ThreadLocalCurrentTraceContext;
import brave.propagation.TraceContext;
import io.jebpf.api.Labels;
import io.jebpf.it.workload.AgentGate;
import io.micrometer.tracing.Tracer;
import io.micrometer.tracing.brave.bridge.BraveBaggageManager;
import io.micrometer.tracing.brave.bridge.BraveCurrentTraceContext;
import io.micrometer.tracing.brave.bridge.BraveTracer;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Scope;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One method under each way to have a context: a span of OpenTelemetry, one of a second copy of it
 * in a class loader of its own, one of Brave, one of Micrometer, and our labels, nested. Each burns
 * CPU. Says whether the hook was there before a library was used, and after. Argument: milliseconds
 * for each.
 */
public final class LibraryLoad {
  public static final String OTEL_SPAN = "00000000000000a1";
  public static final String COPY_SPAN = "00000000000000a2";
  public static final String BRAVE_SPAN = "00000000000000a3";
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
  private static volatile long sink;

  private LibraryLoad() {}

  /** Runs in the application's loader and in a second one. */
  public static final class Otel implements Runnable {
    private final String id;
    private final Runnable work;

    public Otel(String id, Runnable work) {
      this.id = id;
      this.work = work;
    }

    @Override
    @SuppressWarnings("try") // a scope is closed, not used
    public void run() {
      Span span =
          Span.wrap(
              SpanContext.create(TRACE, id, TraceFlags.getSampled(), TraceState.getDefault()));
      try (Scope scope = span.makeCurrent()) {
        work.run();
      }
    }
  }

  /** Has the libraries of the class path, but none of its classes. */
  private static final class SecondLoader extends URLClassLoader {
    SecondLoader(URL[] urls) {
      super(urls, ClassLoader.getPlatformClassLoader());
    }
  }

  public static void main(String[] arguments) throws Exception {
    long millis = Long.parseLong(arguments[0]);
    System.out.println("hook.before=" + hook());
    AgentGate.await();
    System.out.println("hook.sampling=" + hook());
    new Otel(OTEL_SPAN, () -> otel(millis)).run();
    secondCopy(() -> copy(millis)).run();
    brave(() -> underBrave(millis));
    micrometer(() -> underMicrometer(millis));
    Labels.with("tenant", "outer", () -> labels(millis));
    plain(millis);
    System.out.println("hook.after=" + hook());
    Thread.sleep(3_000); // time for the agent's threads
  }

  private static boolean hook() {
    try {
      return Class.forName("java.lang.JebpfContext", false, null) != null;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  private static Runnable secondCopy(Runnable work) throws Exception {
    List<URL> urls = new ArrayList<>();
    for (String part : System.getProperty("java.class.path").split(":")) {
      urls.add(Path.of(part).toUri().toURL());
    }
    SecondLoader loader = new SecondLoader(urls.toArray(new URL[0]));
    Class<?> type = loader.loadClass(Otel.class.getName());
    if (type == Otel.class) {
      throw new IllegalStateException("not a second copy");
    }
    return (Runnable)
        type.getConstructor(String.class, Runnable.class).newInstance(COPY_SPAN, work);
  }

  @SuppressWarnings("try") // a scope is closed, not used
  private static void brave(Runnable work) {
    CurrentTraceContext current = ThreadLocalCurrentTraceContext.create();
    TraceContext context =
        TraceContext.newBuilder()
            .traceIdHigh(Long.parseUnsignedLong(TRACE.substring(0, 16), 16))
            .traceId(Long.parseUnsignedLong(TRACE.substring(16), 16))
            .spanId(Long.parseUnsignedLong(BRAVE_SPAN, 16))
            .build();
    try (Tracing tracing = Tracing.newBuilder().currentTraceContext(current).build();
        CurrentTraceContext.Scope scope = current.newScope(context)) {
      work.run();
    }
  }

  /** Micrometer's bridge to Brave; says the ids of its span. */
  @SuppressWarnings("try") // a scope is closed, not used
  private static void micrometer(Runnable work) {
    CurrentTraceContext current = ThreadLocalCurrentTraceContext.create();
    try (Tracing tracing = Tracing.newBuilder().currentTraceContext(current).build()) {
      Tracer tracer =
          new BraveTracer(
              tracing.tracer(), new BraveCurrentTraceContext(current), new BraveBaggageManager());
      io.micrometer.tracing.Span span = tracer.nextSpan().start();
      System.out.println("micrometer.span=" + span.context().spanId());
      System.out.println("micrometer.trace=" + span.context().traceId());
      try (Tracer.SpanInScope scope = tracer.withSpan(span)) {
        work.run();
      } finally {
        span.abandon();
      }
    }
  }

  static void otel(long millis) {
    burn(millis);
  }

  static void copy(long millis) {
    burn(millis);
  }

  static void underBrave(long millis) {
    burn(millis);
  }

  static void underMicrometer(long millis) {
    burn(millis);
  }

  static void labels(long millis) {
    burn(millis);
    Labels.with("tenant", "inner", () -> Labels.with("state", "no", () -> nested(millis)));
    afterNested(millis);
  }

  static void nested(long millis) {
    burn(millis);
  }

  static void afterNested(long millis) {
    burn(millis);
  }

  static void plain(long millis) {
    burn(millis);
  }

  private static void burn(long millis) {
    long end = System.nanoTime() + millis * 1_000_000;
    long value = sink;
    while (System.nanoTime() < end) {
      for (int i = 0; i < 200; i++) {
        value = value * 6364136223846793005L + 1442695040888963407L;
      }
    }
    sink = value;
  }
}
