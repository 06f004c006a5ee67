package io.jebpf.it.context;

import io.jebpf.it.workload.AgentGate;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Scope;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;

/**
 * Threads that end inside a scope: many virtual ones, some platform ones. Says whether the
 * collector can have them, then runs threads that close what they open, at the same time.
 * Arguments: virtual threads, platform threads, threads at the same time.
 */
public final class OrphanLoad {
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
  private static final int AT_ONCE = 2_000;
  private static final int WATCHED_EVERY = 1_000;
  private static final int COLLECTIONS_MAX = 60;

  private OrphanLoad() {}

  public static void main(String[] arguments) throws InterruptedException {
    AgentGate.await();
    Span span =
        Span.wrap(
            SpanContext.create(
                TRACE, "00000000000000a1", TraceFlags.getSampled(), TraceState.getDefault()));
    List<WeakReference<Thread>> watched = new ArrayList<>();
    orphans(Thread.ofVirtual(), Integer.parseInt(arguments[0]), span, watched);
    orphans(Thread.ofPlatform(), Integer.parseInt(arguments[1]), span, watched);
    System.out.println("collected=" + isCollected(watched));
    together(Integer.parseInt(arguments[2]), span);
    AgentGate.awaitFiles();
  }

  private static void orphans(
      Thread.Builder builder, int count, Span span, List<WeakReference<Thread>> watched)
      throws InterruptedException {
    Semaphore running = new Semaphore(AT_ONCE);
    for (int i = 0; i < count; i++) {
      running.acquire();
      Thread thread =
          builder.start(
              () -> {
                span.makeCurrent(); // and never closed
                running.release();
              });
      if (i % WATCHED_EVERY == 0) {
        watched.add(new WeakReference<>(thread));
      }
    }
    running.acquire(AT_ONCE);
  }

  /** The agent looks once a second. */
  private static boolean isCollected(List<WeakReference<Thread>> watched)
      throws InterruptedException {
    for (int i = 0; i < COLLECTIONS_MAX; i++) {
      System.gc();
      if (watched.stream().allMatch(reference -> reference.get() == null)) {
        return true;
      }
      Thread.sleep(500);
    }
    return false;
  }

  private static void together(int count, Span span) throws InterruptedException {
    CountDownLatch inside = new CountDownLatch(count);
    CountDownLatch leave = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      threads.add(Thread.startVirtualThread(() -> stay(span, inside, leave)));
    }
    inside.await();
    leave.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
  }

  @SuppressWarnings("try") // a scope is closed, not used
  private static void stay(Span span, CountDownLatch inside, CountDownLatch leave) {
    try (Scope scope = span.makeCurrent()) {
      inside.countDown();
      leave.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
