package io.jebpf.it.context;

import io.jebpf.api.Labels;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Scope;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads whose ids say whose they are, for a reader from outside: the platform thread {@code p7}
 * is in spans (one inside the other, some with the label {@code tenant=p7}) whose id begins with 7,
 * and whose trace is {@link #trace} of the span; threads {@code n…} are in none; virtual threads
 * are in spans that begin with {@link #VIRTUAL}. A thread of native code comes once a second, opens
 * a span, and leaves it open when it is no Java thread any more. Arguments: seconds, threads of
 * each kind, the JNI library.
 */
public final class SharedLoad {
  public static final int VIRTUAL = 0xabcd;
  public static final int VISITOR = 0xabce;
  private static volatile long sink;

  private SharedLoad() {}

  private static native int visit();

  private static void openAndLeave() {
    makeCurrent(VISITOR);
  }

  /** The trace that a span belongs to. */
  public static String trace(long span) {
    return String.format("%016x%016x", ~span, span * 0x9E3779B97F4A7C15L | 1);
  }

  /** Whose span it is. */
  public static int owner(long span) {
    return (int) (span >>> 32);
  }

  public static void main(String[] arguments) throws InterruptedException {
    long end = System.nanoTime() + Long.parseLong(arguments[0]) * 1_000_000_000L;
    int threads = Integer.parseInt(arguments[1]);
    inSpan(0, () -> {}); // loads what is instrumented
    for (int i = 1; i <= threads; i++) {
      int number = i;
      Thread.ofPlatform().name("p" + i).start(() -> work(number, end, true));
      Thread.ofPlatform().name("n" + i).start(() -> rest(end));
      Thread.ofVirtual().name("v" + i).start(() -> work(VIRTUAL, end, false));
    }
    System.load(arguments[2]);
    System.out.println("ready=1");
    while (System.nanoTime() < end) {
      visit();
      Thread.sleep(1_000);
    }
  }

  private static void work(int owner, long end, boolean labelled) {
    while (System.nanoTime() < end) {
      inSpan(
          owner,
          () -> {
            burn();
            inSpan(owner, SharedLoad::burn);
            if (labelled) {
              Labels.with("tenant", "p" + owner, () -> inSpan(owner, SharedLoad::burnAndWait));
            }
            burnAndWait();
          });
      burnAndWait();
    }
  }

  private static void rest(long end) {
    while (System.nanoTime() < end) {
      burnAndWait();
    }
  }

  private static Scope makeCurrent(int owner) {
    long id = (long) owner << 32 | ThreadLocalRandom.current().nextInt(1, Integer.MAX_VALUE);
    Span span =
        Span.wrap(
            SpanContext.create(
                trace(id),
                String.format("%016x", id),
                TraceFlags.getSampled(),
                TraceState.getDefault()));
    return span.makeCurrent();
  }

  private static void burnAndWait() {
    burn();
    LockSupport.parkNanos(200_000);
  }

  @SuppressWarnings("try") // a scope is closed, not used
  private static void inSpan(int owner, Runnable work) {
    try (Scope scope = makeCurrent(owner)) {
      work.run();
    }
  }

  private static void burn() {
    long value = sink;
    for (int i = 0; i < 20_000; i++) {
      value = value * 6364136223846793005L + 1442695040888963407L;
    }
    sink = value;
  }
}
