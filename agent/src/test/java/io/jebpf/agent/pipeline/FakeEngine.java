package io.jebpf.agent.pipeline;

import io.jebpf.agent.engine.Counters;
import io.jebpf.agent.engine.Engine;
import io.jebpf.agent.engine.EngineException;
import io.jebpf.agent.engine.Lack;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import io.jebpf.bpf.WalkCounts;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** An engine without a kernel: samples are what the test puts in. */
public class FakeEngine implements Engine {
  public static final Facts FACTS =
      new Facts(
          "6.1.0-test",
          "fake clock",
          List.of(new Lack(Lack.Ability.KERNEL_SYMBOLS, "")),
          Mapping.ofFile("/usr/bin/java"),
          "on, switched on by the agent");

  public static final int RING_BYTES = 1 << 19;

  private final Semaphore wakes = new Semaphore(0);
  private final Deque<long[]> waiting = new ArrayDeque<>(); // stack number, weight, time
  public final List<Integer> rates = new ArrayList<>();

  /** On every sample. */
  public volatile Labels labels = Labels.of(LabelKey.THREAD, "main");

  public boolean rateFails;
  public boolean drainFails;

  /** So many samples from now on find no memory. */
  public int outOfMemory;

  /** Of what waits in a ring of {@link #RING_BYTES}. */
  public long backlogBytes;

  public boolean closed;
  public long samples;
  public long ringFull;
  public long programNanos;
  public long weightNanos;
  public int windowsBegun;
  public int maintained;

  public void sample(int stack, long weight) {
    sample(stack, weight, 0);
  }

  /** Taken now: whoever drains later than the time that is returned has it. */
  public synchronized long sampleNow(int stack, long weight) {
    long now = System.nanoTime();
    sample(stack, weight, now);
    return now;
  }

  public synchronized void sample(int stack, long weight, long timeNanos) {
    waiting.add(new long[] {stack, weight, timeNanos});
    samples++;
    weightNanos += weight;
  }

  @Override
  public void await(long nanos) {
    try {
      if (wakes.tryAcquire(nanos, TimeUnit.NANOSECONDS)) {
        wakes.drainPermits();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void wake() {
    wakes.release();
  }

  @Override
  public synchronized void drain(Window window) {
    if (drainFails) {
      throw new IllegalStateException("injected");
    }
    while (!waiting.isEmpty()) {
      long[] sample = waiting.remove();
      if (outOfMemory > 0) {
        outOfMemory--;
        throw new OutOfMemoryError("injected");
      }
      int node =
          window.push(
              Window.ROOT,
              1,
              sample[0],
              (into, head, detail) ->
                  into.define(
                      Mapping.JVM,
                      0,
                      "app.Main.m" + detail,
                      "app/Main.java",
                      (int) detail,
                      Window.FrameClass.RESOLVED));
      window.add(node, window.labels(labels), sample[1], sample[2]);
    }
  }

  @Override
  public void rate(int hz) throws EngineException {
    if (rateFails) {
      throw new EngineException(Trouble.PERF_EVENTS, "perf_event_open(cpu=0) failed: EACCES (13)");
    }
    rates.add(hz);
  }

  @Override
  public void maintain(long nowNanos) {
    maintained++;
  }

  @Override
  public void beginWindow() {
    windowsBegun++;
  }

  @Override
  public Counters counters() {
    return new Counters(
        samples + ringFull,
        samples + ringFull,
        ringFull,
        0,
        0,
        0,
        programNanos,
        0,
        weightNanos,
        WalkCounts.ofWhole(samples),
        WalkCounts.ofWhole(0));
  }

  @Override
  public long backlogBytes() {
    return backlogBytes;
  }

  @Override
  public long bufferBytes() {
    return RING_BYTES;
  }

  @Override
  public Facts facts() {
    return FACTS;
  }

  @Override
  public void close() {
    closed = true;
  }
}
