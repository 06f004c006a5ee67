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
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What accounting for waits costs: with everything on, without an agent, and with async-profiler's
 * wall clock beside it. Runs are interleaved, figures are medians. Arguments: a directory, rounds,
 * seconds a run, path of async-profiler's library or "-", and which parts: park, pipe, parks (of
 * virtual threads), echo, echo1 (the server on one CPU), switch, parked.
 */
public final class OffCpuBench {
  private static final int END_SECONDS = 120;

  /** The JVM compiles the server, and the agent, until then: that is another cost. */
  private static final int WARM_UP_SECONDS = 20;

  /**
   * Start-up, the stacks of all threads, and most of what the JVM compiles of the agent are over
   * then.
   */
  private static final int PARKED_SETTLE_MILLIS = 60_000;

  private static final int PARKED_MILLIS = 60_000; // six windows

  private static final int ECHO_BLOCKS_A_ROUND = 2;

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
    engines.put("jebpf", List.of("agent", AGENT));
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
    Set<String> parts = new LinkedHashSet<>(List.of(arguments[4].split(",")));
    if (parts.contains("park")) {
      bench.pingPong("park", "LockSupport, two threads on one CPU (aim: at most 1.08)");
    }
    if (parts.contains("pipe")) {
      bench.pingPong("pipe", "pipe, two threads on one CPU (aim: at most 1.15)");
    }
    if (parts.contains("parks")) {
      bench.virtualParks();
    }
    if (parts.contains("echo")) {
      bench.echo("Echo server and its client, both on any CPU", List.of(), List.of());
    }
    if (parts.contains("echo1")) {
      bench.echo(
          "Echo server, with all of its JVM, on CPU 1, its client on CPU 0",
          List.of("taskset", "-c", "1"),
          List.of("taskset", "-c", "0"));
    }
    if (parts.contains("switch")) {
      bench.perSwitch();
    }
    if (parts.contains("parked")) {
      bench.parked(100);
      bench.parked(10_000);
    }
  }

  private ChildJvm child(List<String> engine, String... prefix) throws IOException {
    Path own = Files.createDirectories(directory.resolve("run-" + runs++));
    ChildJvm child = ChildJvm.in(own).jvm("-XX:+UseSerialGC", "-Xmx256m").prefix(prefix);
    if (engine.size() == 2 && engine.get(0).equals("agent")) {
      child.agent(engine.get(1));
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

  /** Two virtual threads on one carrier, so that each of them parks once there and back. */
  private void virtualParks() throws IOException {
    Map<String, List<String>> compared = new LinkedHashMap<>();
    compared.put("none", List.of());
    compared.put("without", List.of("agent", AGENT + ",offcpu.vthreads=false"));
    compared.put("with", List.of("agent", AGENT));
    Map<String, List<Double>> found = new LinkedHashMap<>();
    for (int round = 0; round < rounds; round++) {
      for (Map.Entry<String, List<String>> engine : compared.entrySet()) {
        ChildResult result =
            child(engine.getValue())
                .jvm(
                    "-Djdk.virtualThreadScheduler.parallelism=1",
                    "-Djdk.virtualThreadScheduler.maxPoolSize=1")
                .main(SwitchLoad.class, "virtual", seconds)
                .run(END_SECONDS);
        found
            .computeIfAbsent(engine.getKey(), k -> new ArrayList<>())
            .add(result.value("median") / 2.0);
      }
    }
    double without = median(found.get("without"));
    System.out.println(
        "Parks of virtual threads, two on one carrier; without: offcpu.vthreads=false (aim: at most"
            + " 20 ns more):");
    found.forEach(
        (name, values) ->
            System.out.printf(
                "  %-7s %6.0f ns a park, %+.0f ns beside without   %s%n",
                name, median(values), median(values) - without, values));
  }

  /**
   * With everything on, beside the agent without its off-CPU side, which is what is judged. All
   * servers live at once and are asked in turn, a fifth of a second each, since from minute to
   * minute the percentile of any of them doubles. The one that is asked does what it does; the
   * others' agents idle.
   */
  private void echo(String title, List<String> serverPrefix, List<String> clientPrefix)
      throws IOException {
    Map<String, List<String>> compared = new LinkedHashMap<>();
    compared.put("cpu", List.of("agent", "cpu=99,offcpu=0"));
    compared.put("again", compared.get("cpu")); // what two of the same kind differ by
    compared.putAll(engines);
    List<RunningJvm> servers = new ArrayList<>();
    List<String> ports = new ArrayList<>();
    int blocks = rounds * ECHO_BLOCKS_A_ROUND;
    ChildResult client;
    try {
      for (List<String> engine : compared.values()) {
        int port = FreePort.find();
        ports.add(Integer.toString(port));
        servers.add(
            child(engine, serverPrefix.toArray(String[]::new))
                .main(SwitchLoad.class, "server", port)
                .start());
        servers.get(servers.size() - 1).awaitOutput("ready", END_SECONDS);
      }
      client =
          child(List.of(), clientPrefix.toArray(String[]::new))
              .main(
                  SwitchLoad.class, "client", String.join(",", ports), blocks, 100, WARM_UP_SECONDS)
              .run(END_SECONDS + 30 * blocks);
    } finally {
      servers.forEach(RunningJvm::close);
    }
    System.out.println(
        title
            + ", servers asked in turn; of each block of 20,000 answers the 99.9th percentile and"
            + " its ratio to cpu's, medians (aim: jebpf at most 1.02):");
    int server = 0;
    for (String name : compared.keySet()) {
      List<Double> p50 = new ArrayList<>();
      List<Double> p999 = new ArrayList<>();
      List<Double> ratios = new ArrayList<>();
      for (int block = 0; block < blocks; block++) {
        p50.add(client.value("p50." + server + "." + block) / 1e3);
        double slow = client.value("p999." + server + "." + block) / 1e3;
        p999.add(slow);
        ratios.add(slow / (client.value("p999.0." + block) / 1e3));
      }
      System.out.printf(
          "  %-6s p50 %7.1f us, p99.9 %7.1f us, %.3f of cpu   %s%n",
          name, median(p50), median(p999), median(ratios), p999);
      server++;
    }
  }

  /** The kernel's own accounting of all programs, while two threads play through a pipe. */
  private void perSwitch() throws IOException {
    try (RunningJvm running =
        child(engines.get("jebpf"), "taskset", "-c", "1")
            .main(SwitchLoad.class, "pipe", 2 * seconds + 2)
            .start()) {
      running.awaitOutput("ready", END_SECONDS);
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

  /** What profiling takes while all threads are parked: of the agent's threads, and beside none. */
  private void parked(int threads) throws IOException {
    System.out.printf("%,d parked threads, CPU in parts of a core:%n", threads);
    for (Map.Entry<String, List<String>> engine : engines.entrySet()) {
      try (RunningJvm running =
          child(engine.getValue()).main(SwitchLoad.class, "parked", threads).start()) {
        running.awaitOutput("ready", END_SECONDS);
        sleep(PARKED_SETTLE_MILLIS);
        Map<String, Long> from = threadNanos(running.pid());
        long start = System.nanoTime();
        sleep(PARKED_MILLIS);
        Map<String, Long> to = threadNanos(running.pid());
        double elapsed = System.nanoTime() - start;
        StringBuilder own = new StringBuilder();
        double agent = 0;
        for (Map.Entry<String, Long> thread : to.entrySet()) {
          double share =
              100 * (thread.getValue() - from.getOrDefault(thread.getKey(), 0L)) / elapsed;
          if (thread.getKey().startsWith("jebpf-")) {
            agent += share;
            own.append(String.format(" %s %.3f", thread.getKey(), share));
          }
        }
        System.out.printf(
            "  %-6s the process takes %.3f %%%s%n",
            engine.getKey(),
            100 * (sum(to) - sum(from)) / elapsed,
            agent == 0 ? "" : String.format(", the agent's threads %.3f %%:%s", agent, own));
      }
    }
  }

  private static double sum(Map<String, Long> nanos) {
    return nanos.values().stream().mapToDouble(Long::doubleValue).sum();
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

  /** Time on a CPU by the threads' names. */
  private static Map<String, Long> threadNanos(long pid) throws IOException {
    Map<String, Long> sums = new TreeMap<>();
    try (Stream<Path> tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
      for (Path task : tasks.toList()) {
        List<String> name = lines(task.resolve("comm"));
        List<String> times = lines(task.resolve("schedstat"));
        if (!name.isEmpty() && !times.isEmpty()) {
          sums.merge(name.get(0), Long.parseLong(times.get(0).split(" ")[0]), Long::sum);
        }
      }
    }
    return sums;
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
