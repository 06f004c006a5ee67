package io.jebpf.agent.pipeline;

import io.jebpf.agent.history.Segment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Those who wait for a picture of the open window. One picture answers all whose moment has come.
 * {@link #ask} is for any thread, the rest for thread "jebpf-reader".
 */
final class OpenRequests {
  /** More than there are threads that may ask at once, see the limits of HTTP and JMX. */
  private static final int WAITING_MAX = 1024;

  private final List<Request> waiting = new ArrayList<>();
  private boolean over;

  private record Request(long notBeforeNanos, CompletableFuture<Segment> answer) {}

  synchronized CompletableFuture<Segment> ask(long notBeforeNanos) {
    if (over) {
      throw new IllegalStateException("sampling has ended");
    }
    if (waiting.size() >= WAITING_MAX) {
      throw new IllegalStateException("more than " + WAITING_MAX + " requests wait");
    }
    Request request = new Request(notBeforeNanos, new CompletableFuture<>());
    waiting.add(request);
    return request.answer();
  }

  /** How long until the first is due; Long.MAX_VALUE when nobody waits. */
  synchronized long dueInNanos(long nowNanos) {
    long soonest = Long.MAX_VALUE;
    for (Request request : waiting) {
      soonest = Math.min(soonest, Math.max(0, request.notBeforeNanos() - nowNanos));
    }
    return soonest;
  }

  synchronized boolean isDue(long nowNanos) {
    for (Request request : waiting) {
      if (request.notBeforeNanos() - nowNanos <= 0) {
        return true;
      }
    }
    return false;
  }

  synchronized void answer(long nowNanos, Segment picture) {
    waiting.removeIf(
        request -> request.notBeforeNanos() - nowNanos <= 0 && request.answer().complete(picture));
  }

  synchronized boolean isOver() {
    return over;
  }

  /** No picture will be taken any more. */
  synchronized void refuse() {
    over = true;
    waiting.forEach(
        request ->
            request
                .answer()
                .completeExceptionally(new IllegalStateException("sampling has ended")));
    waiting.clear();
  }
}
