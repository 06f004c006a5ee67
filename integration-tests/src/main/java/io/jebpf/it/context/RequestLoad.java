package io.jebpf.it.context;

import io.jebpf.it.workload.AgentGate;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/**
 * A service that answers requests at a steady rate: each has a trace of its own with two spans,
 * does some of the things that services do, and waits. Arguments: seconds, requests a second.
 */
public final class RequestLoad {
  private static final int THREADS = 32;
  private static final int QUEUE_MAX = 10_000;
  private static final Pattern WORDS = Pattern.compile("([a-z]+)-(\\d+)");
  private static final LongAdder DONE = new LongAdder();
  private static final Tracer TRACER = SdkTracerProvider.builder().build().get("requests");
  private static volatile long sink;

  private RequestLoad() {}

  public static void main(String[] arguments) throws InterruptedException {
    long seconds = Long.parseLong(arguments[0]);
    long rate = Long.parseLong(arguments[1]);
    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    request(0);
    AgentGate.await();
    long start = System.nanoTime();
    long sent = 0;
    while (System.nanoTime() - start < seconds * 1_000_000_000L) {
      long due = (System.nanoTime() - start) * rate / 1_000_000_000L;
      for (; sent < due && sent - DONE.sum() < QUEUE_MAX; sent++) {
        long number = sent;
        pool.execute(() -> request(number));
      }
      LockSupport.parkNanos(1_000_000);
    }
    pool.shutdown();
    AgentGate.awaitFiles();
    System.out.println("requests=" + DONE.sum());
    System.exit(0);
  }

  @SuppressWarnings("try") // a scope is closed, not used
  private static void request(long number) {
    Span span = TRACER.spanBuilder("GET /orders").setNoParent().startSpan();
    try (Scope scope = span.makeCurrent()) {
      List<String> rows = parse(number);
      query(rows);
      sink += answer(rows);
    } finally {
      span.end();
      DONE.increment();
    }
  }

  private static List<String> parse(long number) {
    StringBuilder text = new StringBuilder();
    Random random = new Random(number);
    for (int i = 0; i < 60; i++) {
      text.append("row-").append(random.nextInt(100_000)).append(' ');
    }
    List<String> rows = new ArrayList<>();
    WORDS.matcher(text).results().forEach(found -> rows.add(found.group(2)));
    return rows;
  }

  @SuppressWarnings("try") // a scope is closed, not used
  private static void query(List<String> rows) {
    Span span = TRACER.spanBuilder("SELECT").startSpan();
    try (Scope scope = span.makeCurrent()) {
      Map<String, Long> counts = new HashMap<>();
      rows.forEach(row -> counts.merge(row, 1L, Long::sum));
      sink += new TreeMap<>(counts).firstEntry().getValue();
      LockSupport.parkNanos(2_000_000);
      Collections.sort(rows);
    } finally {
      span.end();
    }
  }

  private static long answer(List<String> rows) {
    byte[] body = String.join(",", rows).getBytes(StandardCharsets.UTF_8);
    CRC32 check = new CRC32();
    check.update(body);
    Deflater deflater = new Deflater();
    deflater.setInput(body);
    deflater.finish();
    long length = deflater.deflate(new byte[4096]);
    deflater.end();
    return check.getValue() + length;
  }
}
