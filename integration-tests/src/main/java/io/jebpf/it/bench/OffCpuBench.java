package io.jebpf.it.bench;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.RunningJvm;
import io.jebpf.it.offcpu.SwitchLoad;
import io.jebpf.it.workload.FreePort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What accounting for waits costs: with everything on, without an agent, and with async-profiler's
 * wall clock beside it. Runs are interleaved, figures are medians. Arguments: a directory, rounds,
 * seconds a run, path of async-profiler's library or "-".
 */
public final class OffCpuBench {
  private static final int END_SECONDS = 120;

  /** The JVM compiles the server, and the agent, until then: that is another cost. */
  private static final int WARM_UP_SECONDS = 20;

  private static final String AGENT = "cpu=99,offcpu=10ms";
  private static final Path STATS = Path.of("/proc/sys/kernel/bpf_stats_enabled");

  private final Path directory;
  private final int rounds;
  private final int seconds;
  private final Map<String, List<String>> engines = new LinkedHashMap<>();
  private int runs;

  private OffCpuBench(Path directory, int rounds, int seconds, String async) {
    this.directory = directory;
    this.rounds = rounds;
    this.seconds = seconds;
    engines.put("none", List.of());
    engines.put("jebpf", List.of("agent"));
    if (!async.equals("-")) {
      engines.put(
          "async",
          List.of("-agentpath:" + async + "=start,event=wall,interval=10ms,file=/dev/null"));
    }
  }

  public static void main(String[] arguments) throws Exception {
    OffCpuBench bench =
        new OffCpuBench(
            Path.of(arguments[0]),
            Integer.parseInt(arguments[1]),
            Integer.parseInt(arguments[2]),
            arguments[3]);
    bench.pingPong("park", "LockSupport, two threads on one CPU (aim: at most 1.08)");
    bench.pingPong("pipe", "pipe, two threads on one CPU (aim: at most 1.15)");
    bench.echo();
    bench.perSwitch();
    bench.parked(100);
    bench.parked(10_000);
  }

  private ChildJvm child(List<String> engine, String... prefix) throws IOException {
    Path own = Files.createDirectories(directory.resolve("run-" + runs++));
    ChildJvm child = ChildJvm.in(own).jvm("-XX:+UseSerialGC", "-Xmx256m").prefix(prefix);
    if (engine.equals(List.of("agent"))) {
      child.agent(AGENT);
    } else {
      child.jvm(engine);
    }
    return child;
  }

  private static double median(List<Double> values) {
    List<Double> sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    return sorted.get(sorted.size() / 2);
  }

  private void pingPong(String mode, String title) throws IOException {
    Map<String, List<Double>> found = new LinkedHashMap<>();
    for (int round = 0; round < rounds; round++) {
      for (Map.Entry<String, List<String>> engine : engines.entrySet()) {
        ChildResult result =
            child(engine.getValue(), "taskset", "-c", "1")
                .main(SwitchLoad.class, mode, seconds)
                .run(END_SECONDS);
        found
            .computeIfAbsent(engine.getKey(), k -> new ArrayList<>())
            .add((double) result.value("median"));
      }
    }
    double plain = median(found.get("none"));
    System.out.println("Ping-pong by " + title + ", the whole JVM on CPU 1 (taskset):");
    found.forEach(
        (name, values) ->
            System.out.printf(
                "  %-6s %8.0f ns there and back, %.3f of none   %s%n",
                name, median(values), median(values) / plain, values));
  }

  private void echo() throws IOException {
    Map<String, List<Double>> p50 = new LinkedHashMap<>();
    Map<String, List<Double>> p999 = new LinkedHashMap<>();
    for (int round = 0; round < rounds; round++) {
      for (Map.Entry<String, List<String>> engine : engines.entrySet()) {
        int port = FreePort.find();
        try (RunningJvm server =
            child(engine.getValue(), "taskset", "-c", "1")
                .main(SwitchLoad.class, "server", port)
                .start()) {
          server.awaitOutput("ready", END_SECONDS);
          ChildResult client =
              child(List.of(), "taskset", "-c", "0")
                  .main(SwitchLoad.class, "client", port, seconds * 5_000, 100, WARM_UP_SECONDS)
                  .run(END_SECONDS);
          p50.computeIfAbsent(engine.getKey(), k -> new ArrayList<>())
              .add(client.value("p50") / 1e3);
          p999.computeIfAbsent(engine.getKey(), k -> new ArrayList<>())
              .add(client.value("p999") / 1e3);
        }
      }
    }
    double plain = median(p999.get("none"));
    System.out.println(
        "Echo server on CPU 1, its client on CPU 0 (aim: 99.9th percentile within 1.02 of none):");
    p999.forEach(
        (name, values) ->
            System.out.printf(
                "  %-6s p50 %7.1f us, p99.9 %7.1f us, %.3f of none   %s%n",
                name, median(p50.get(name)), median(values), median(values) / plain, values));
  }

  /** The kernel's own accounting of all programs, while two threads play through a pipe. */
  private void perSwitch() throws IOException {
    try (RunningJvm running =
        child(engines.get("jebpf"), "taskset", "-c", "1")
            .main(SwitchLoad.class, "pipe", 2 * seconds + 2)
            .start()) {
      sleep(2_000);
      String before = Files.readString(STATS).strip();
      Files.writeString(STATS, "1\n");
      try {
        long[] from = programs(running.pid());
        long switched = switches(running.pid());
        sleep(1_000L * seconds);
        long[] to = programs(running.pid());
        switched = switches(running.pid()) - switched;
        System.out.printf(
            "All programs in the kernel's own accounting, pipe: %.0f ns a context switch (aim: at"
                + " most 150), %.2f runs a switch, %d switches%n",
            (double) (to[0] - from[0]) / switched, (double) (to[1] - from[1]) / switched, switched);
      } finally {
        Files.writeString(STATS, before + "\n");
      }
      running.await(END_SECONDS);
    }
  }

  /** What the agent's threads and the ticker take while all others are parked. */
  private void parked(int threads) throws IOException {
    try (RunningJvm running =
        child(engines.get("jebpf")).main(SwitchLoad.class, "parked", threads).start()) {
      running.awaitOutput("ready", END_SECONDS);
      sleep(15_000); // start-up, and the stacks of all threads, are over
      long from = agentNanos(running.pid());
      long start = System.nanoTime();
      sleep(5_000L * seconds);
      double share = (double) (agentNanos(running.pid()) - from) / (System.nanoTime() - start);
      System.out.printf(
          "%,d parked threads: the agent's threads, ticker and its program included, take %.3f %%"
              + " of a core%s%n",
          threads, 100 * share, threads > 1000 ? " (aim: at most 0.2 more than with 100)" : "");
    }
  }

  private static long[] programs(long pid) throws IOException {
    long[] sums = new long[2];
    try (Stream<Path> files = Files.list(Path.of("/proc/" + pid + "/fdinfo"))) {
      for (Path file : files.toList()) {
        for (String line : lines(file)) {
          sums[0] += number(line, "run_time_ns:");
          sums[1] += number(line, "run_cnt:");
        }
      }
    }
    return sums;
  }

  private static long switches(long pid) throws IOException {
    long sum = 0;
    try (Stream<Path> tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
      for (Path task : tasks.toList()) {
        for (String line : lines(task.resolve("status"))) {
          sum += number(line, "voluntary_ctxt_switches:");
          sum += number(line, "nonvoluntary_ctxt_switches:");
        }
      }
    }
    return sum;
  }

  private static long agentNanos(long pid) throws IOException {
    long sum = 0;
    try (Stream<Path> tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
      for (Path task : tasks.toList()) {
        List<String> name = lines(task.resolve("comm"));
        List<String> times = lines(task.resolve("schedstat"));
        if (!name.isEmpty() && name.get(0).startsWith("jebpf-") && !times.isEmpty()) {
          sum += Long.parseLong(times.get(0).split(" ")[0]);
        }
      }
    }
    return sum;
  }

  private static long number(String line, String key) {
    return line.startsWith(key) ? Long.parseLong(line.substring(key.length()).strip()) : 0;
  }

  /** Empty when it has gone meanwhile. */
  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      return List.of();
    }
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
