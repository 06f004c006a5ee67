package io.jebpf.it.bench;

import io.jebpf.it.workload.Burn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What one sample costs the thread that is sampled. In one JVM, one thread does the same fixed work
 * again and again, with no engine, then one, then none, then the next; cost per sample = extra time
 * of the work / number of samples, the extra against the mean of the two runs without an engine
 * around it; median over the rounds.
 *
 * <p>The thread has a CPU of its own (bench.sh starts the JVM on the others, {@link #pin} moves the
 * thread), so that neither the agents' own threads nor the collector run there. Its time is its CPU
 * time, which other processes of the machine do not disturb and which contains the interrupts that
 * hit it, unless the kernel accounts interrupts apart (CONFIG_IRQ_TIME_ACCOUNTING): then wall time.
 *
 * <p>Arguments: tool of the empty program, CPU of the load, rounds, milliseconds of work, clock
 * ({@code cpu} or {@code wall}).
 */
public final class CostBench {
  private static final int[] DEPTHS = {20, 100, 500};
  private static final int SETTLE_MILLIS = 150;
  private static final double PERIOD_NANOS = 1e6;

  /** An engine that takes fewer of the samples that were due does other work than we measure. */
  private static final double TAKEN_MIN = 0.9;

  private final List<Engine> engines;
  private final int rounds;
  private final long workMillis;
  private final boolean wall;

  private CostBench(List<Engine> engines, int rounds, long workMillis, String clock) {
    this.wall =
        switch (clock) {
          case "wall" -> true;
          case "cpu" -> false;
          default -> throw new IllegalArgumentException("clock " + clock);
        };
    this.engines = engines;
    this.rounds = rounds;
    this.workMillis = workMillis;
  }

  /** One run: time of the work, and the samples taken in it. */
  private record Run(long nanos, double samples) {}

  public static void main(String[] args) throws Exception {
    Engines.Async async = new Engines.Async();
    try (Engines.Empty empty = new Engines.Empty(args[0])) {
      Engine jebpf = new Engines.Jebpf();
      List<Engine> engines = List.of(jebpf, async, empty);
      CostBench bench =
          new CostBench(engines, Integer.parseInt(args[2]), Long.parseLong(args[3]), args[4]);
      System.out.println("async-profiler " + async.version() + ", Java " + Runtime.version());
      Throwable[] failure = new Throwable[1];
      Thread load =
          new Thread(
              () -> {
                try {
                  pin(args[1]);
                  bench.run();
                } catch (Exception e) {
                  failure[0] = e;
                }
              },
              "load");
      load.start();
      load.join();
      if (failure[0] != null) {
        throw new IllegalStateException(failure[0]);
      }
    }
  }

  /** Moves the calling thread to a CPU. */
  private static void pin(String cpu) throws IOException, InterruptedException {
    String tid = Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName().toString();
    Process taskset =
        new ProcessBuilder("taskset", "-cp", cpu, tid)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (taskset.waitFor() != 0) {
      throw new IOException("taskset -cp " + cpu + " " + tid + " failed");
    }
  }

  private void run() throws Exception {
    System.out.printf(
        Locale.ROOT,
        "%6s  %-15s %12s %12s %9s %12s%n",
        "depth",
        "engine",
        "ns/sample",
        "spread",
        "samples",
        "slower by");
    for (int depth : DEPTHS) {
      int steps = calibrate(depth);
      Map<String, double[]> costs = measure(depth, steps);
      double ours = median(costs.get(engines.get(0).name()));
      System.out.printf(
          Locale.ROOT,
          "%6d  jebpf / async-profiler = %.2f (aim at most 0.60)   jebpf / empty program ="
              + " %.2f%s%n%n",
          depth,
          ours / median(costs.get(engines.get(1).name())),
          ours / median(costs.get(engines.get(2).name())),
          depth <= 100 ? " (aim at most 1.40)" : "");
    }
  }

  private int calibrate(int depth) {
    int steps = 1 << 16;
    for (int i = 0; i < 20; i++) {
      down(depth, steps); // compiled before the clock runs
    }
    long nanos = time(depth, steps);
    while (nanos < 50_000_000) {
      steps *= 2;
      nanos = time(depth, steps);
    }
    return Math.toIntExact((long) (steps * (workMillis * 1e6 / nanos)));
  }

  private long time(int depth, int steps) {
    long before = now();
    Burn.sink = down(depth, steps);
    return now() - before;
  }

  private long now() {
    return wall ? System.nanoTime() : Burn.cpuNanos();
  }

  private Map<String, double[]> measure(int depth, int steps) throws Exception {
    Map<String, double[]> costs = new LinkedHashMap<>();
    Map<String, double[]> slowdowns = new LinkedHashMap<>();
    Map<String, double[]> samples = new LinkedHashMap<>();
    for (Engine engine : engines) {
      costs.put(engine.name(), new double[rounds]);
      slowdowns.put(engine.name(), new double[rounds]);
      samples.put(engine.name(), new double[rounds]);
    }
    for (int round = 0; round < rounds; round++) {
      Run before = quiet(depth, steps);
      for (Engine engine : engines) {
        Run on = sampled(engine, depth, steps);
        Run after = quiet(depth, steps);
        double base = (before.nanos() + after.nanos()) / 2.0;
        costs.get(engine.name())[round] = (on.nanos() - base) / on.samples();
        slowdowns.get(engine.name())[round] = (on.nanos() - base) / base;
        samples.get(engine.name())[round] = on.samples();
        before = after;
      }
    }
    for (Engine engine : engines) {
      double[] cost = costs.get(engine.name());
      System.out.printf(
          Locale.ROOT,
          "%6d  %-15s %12.0f %12s %9.0f %11.2f%%%n",
          depth,
          engine.name(),
          median(cost),
          spread(cost),
          median(samples.get(engine.name())),
          100 * median(slowdowns.get(engine.name())));
    }
    return costs;
  }

  private Run quiet(int depth, int steps) throws InterruptedException {
    Thread.sleep(SETTLE_MILLIS);
    return new Run(time(depth, steps), 0);
  }

  private Run sampled(Engine engine, int depth, int steps) throws Exception {
    engine.on();
    Thread.sleep(SETTLE_MILLIS);
    long nanos = time(depth, steps);
    Thread.sleep(SETTLE_MILLIS); // what is still in the ring arrives
    long counted = engine.off();
    // One sample falls due each period of the thread's CPU time. The engines count samples of the
    // whole process, other threads included: good for a check only.
    double due = nanos / PERIOD_NANOS;
    if (counted >= 0 && counted < due * TAKEN_MIN) {
      throw new IllegalStateException(
          engine.name() + " took " + counted + " samples where " + due + " were due");
    }
    return new Run(nanos, due);
  }

  /**
   * Recursion that is not inlined (bench.sh says so to the compiler): depth Java frames are depth
   * real ones.
   */
  static long down(int depth, int steps) {
    return depth == 0 ? Burn.spin(steps, Burn.sink) : down(depth - 1, steps) + 1;
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** The middle half of the values. */
  private static String spread(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    List<String> ends = new ArrayList<>();
    for (int index : new int[] {sorted.length / 4, sorted.length - 1 - sorted.length / 4}) {
      ends.add(String.format(Locale.ROOT, "%.0f", sorted[index]));
    }
    return String.join("..", ends);
  }
}
