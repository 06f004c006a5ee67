package io.jebpf.it.context;

import io.jebpf.it.workload.AgentGate;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.trace.IdGenerator;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that switch among many spans, and whose stacks say which: the span's number is written in
 * hexadecimal digits, as five calls of the methods {@code d0} to {@code df}, the lowest digit
 * outermost. So each sample tells by itself which span it has to carry. Arguments: seconds,
 * platform threads, virtual threads, spans.
 */
public final class SpanLoad {
  /** Calls that write a number. */
  public static final int DIGITS = 5;

  /** The span with number n has this id plus n. */
  public static final long FIRST_SPAN = 0x5eed_0000_0000_0000L;

  private static final LongAdder ATTACHED = new LongAdder();
  private static Span[] spans = {};
  private static volatile long stopNanos;
  private static volatile long sink;

  private SpanLoad() {}

  /** Numbers spans in the order of their start. */
  private static final class Numbers implements IdGenerator {
    private long next;

    @Override
    public String generateSpanId() {
      return String.format("%016x", FIRST_SPAN + next++);
    }

    @Override
    public String generateTraceId() {
      return String.format("%016x%016x", ~next * 0x9E3779B97F4A7C15L, next);
    }
  }

  public static void main(String[] arguments) throws InterruptedException {
    int seconds = Integer.parseInt(arguments[0]);
    int platform = Integer.parseInt(arguments[1]);
    int virtual = Integer.parseInt(arguments[2]);
    SdkTracerProvider provider = SdkTracerProvider.builder().setIdGenerator(new Numbers()).build();
    Tracer tracer = provider.get("truth");
    spans = new Span[Integer.parseInt(arguments[3])];
    for (int i = 0; i < spans.length; i++) {
      spans[i] = tracer.spanBuilder("root-" + i % 10).setNoParent().startSpan();
    }
    AgentGate.await();
    stopNanos = System.nanoTime() + seconds * 1_000_000_000L;
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < platform + virtual; i++) {
      threads.add(
          i < platform
              ? new Thread(SpanLoad::platformThread, "platform-" + i)
              : Thread.ofVirtual().name("virtual-" + i).unstarted(SpanLoad::virtualThread));
    }
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
    AgentGate.awaitFiles();
    System.out.println("attached=" + ATTACHED.sum());
  }

  private static void platformThread() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    while (System.nanoTime() < stopNanos) {
      under(
          random.nextInt(spans.length),
          () -> {
            burn(20_000 + random.nextInt(100_000));
            if (random.nextInt(4) == 0) {
              LockSupport.parkNanos(1_000_000 + random.nextInt(20_000_000));
            }
            under(random.nextInt(spans.length), () -> burn(random.nextInt(50_000)));
            burn(random.nextInt(50_000));
          });
      rest(random.nextInt(200_000_000));
    }
  }

  private static void virtualThread() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    while (System.nanoTime() < stopNanos) {
      under(
          random.nextInt(spans.length),
          () -> {
            burn(random.nextInt(60_000));
            pause(random.nextInt(30_000_000));
            burn(random.nextInt(60_000)); // on another carrier, perhaps
            Thread.yield();
            under(random.nextInt(spans.length), () -> burn(random.nextInt(30_000)));
            Thread.yield();
            burn(random.nextInt(30_000));
          });
      rest(random.nextInt(2_000_000_000));
    }
  }

  /** Outside of every span. */
  private static void rest(int nanos) {
    burn(nanos / 50_000);
    pause(nanos);
  }

  private static void pause(int nanos) {
    LockSupport.parkNanos(nanos);
  }

  @SuppressWarnings("try") // a scope is closed, not used
  private static void under(int number, Runnable work) {
    ATTACHED.increment();
    try (Scope scope = spans[number].makeCurrent()) {
      inside(number, work);
    }
  }

  /** From here on down, a stack belongs to the span that its digits name. */
  private static void inside(int number, Runnable work) {
    digits(number, DIGITS, work);
  }

  private static void digits(int rest, int levels, Runnable work) {
    if (levels == 0) {
      work.run();
      return;
    }
    switch (rest & 15) {
      case 0 -> d0(rest >>> 4, levels - 1, work);
      case 1 -> d1(rest >>> 4, levels - 1, work);
      case 2 -> d2(rest >>> 4, levels - 1, work);
      case 3 -> d3(rest >>> 4, levels - 1, work);
      case 4 -> d4(rest >>> 4, levels - 1, work);
      case 5 -> d5(rest >>> 4, levels - 1, work);
      case 6 -> d6(rest >>> 4, levels - 1, work);
      case 7 -> d7(rest >>> 4, levels - 1, work);
      case 8 -> d8(rest >>> 4, levels - 1, work);
      case 9 -> d9(rest >>> 4, levels - 1, work);
      case 10 -> da(rest >>> 4, levels - 1, work);
      case 11 -> db(rest >>> 4, levels - 1, work);
      case 12 -> dc(rest >>> 4, levels - 1, work);
      case 13 -> dd(rest >>> 4, levels - 1, work);
      case 14 -> de(rest >>> 4, levels - 1, work);
      default -> df(rest >>> 4, levels - 1, work);
    }
  }

  private static void d0(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void d1(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void d2(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void d3(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void d4(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void d5(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void d6(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void d7(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void d8(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void d9(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void da(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void db(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void dc(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void dd(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void de(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void df(int rest, int levels, Runnable work) {
    digits(rest, levels, work);
  }

  private static void burn(int nanos) {
    long end = System.nanoTime() + nanos;
    long value = sink;
    do {
      for (int i = 0; i < 200; i++) {
        value = value * 6364136223846793005L + 1442695040888963407L;
      }
    } while (System.nanoTime() < end);
    sink = value;
  }
}
