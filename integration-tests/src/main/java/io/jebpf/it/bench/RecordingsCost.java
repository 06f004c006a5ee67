package io.jebpf.it.bench;

import io.jebpf.it.workload.AgentGate;
import io.jebpf.it.workload.Burn;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * What recordings cost, in a JVM under the agent with one busy thread: CPU time of the agent's
 * threads and of the one that starts and ends recordings at random, with one at a time and with
 * twenty, in turn. Nothing is read: a profile costs its encoding, whoever asks for it. Arguments:
 * rounds, milliseconds of each. Prints {@code one}, {@code twenty} and {@code more}, medians in
 * millionths of a core.
 */
public final class RecordingsCost {
  private static final int MANY = 20;
  private static final int LIFE_MILLIS_MAX = 2_000;
  private static final int LOOK_MILLIS = 20;

  private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();
  private final ObjectName bean;
  private final Random random = new Random(3);
  private final String thread;

  private RecordingsCost() throws JMException, IOException {
    bean = new ObjectName("io.jebpf:type=Profiler");
    thread = Path.of("/proc/thread-self").toRealPath().getFileName().toString();
  }

  public static void main(String[] args) throws Exception {
    AgentGate.await();
    Thread.ofPlatform().daemon().name("busy").start(RecordingsCost::work);
    new RecordingsCost().run(Integer.parseInt(args[0]), Long.parseLong(args[1]));
  }

  private static void work() {
    while (true) {
      Burn.sink = Burn.spin(100_000, Burn.sink);
    }
  }

  private void run(int rounds, long millis) throws Exception {
    double[] one = new double[rounds];
    double[] many = new double[rounds];
    phase(MANY, millis); // what happens for the first time is not what a recording costs
    for (int round = 0; round < rounds; round++) {
      one[round] = phase(1, millis);
      many[round] = phase(MANY, millis);
      System.out.printf(
          Locale.ROOT,
          "agent and recordings: %.3f %% of a core with one, %.3f %% with %d%n",
          100 * one[round],
          100 * many[round],
          MANY);
    }
    print("one", one);
    print("twenty", many);
    double[] more = new double[rounds];
    Arrays.setAll(more, i -> many[i] - one[i]);
    print("more", more);
  }

  private static void print(String name, double[] shares) {
    double[] sorted = shares.clone();
    Arrays.sort(sorted);
    System.out.println(name + "=" + Math.round(1e6 * sorted[sorted.length / 2]));
  }

  /** CPU time in parts of a core, with so many recordings at a time. */
  private double phase(int count, long millis) throws Exception {
    long[] ids = new long[count];
    long[] ends = new long[count];
    for (int i = 0; i < count; i++) {
      begin(ids, ends, i);
    }
    long cpu = cpuNanos();
    long from = System.nanoTime();
    while (System.nanoTime() - from < millis * 1_000_000) {
      for (int i = 0; i < count; i++) {
        if (System.nanoTime() - ends[i] > 0) {
          end(ids[i]);
          begin(ids, ends, i);
        }
      }
      Thread.sleep(LOOK_MILLIS);
    }
    double share = (double) (cpuNanos() - cpu) / (System.nanoTime() - from);
    for (long id : ids) {
      end(id);
    }
    return share;
  }

  private void begin(long[] ids, long[] ends, int i) throws JMException {
    ids[i] = (Long) server.invoke(bean, "newRecording", new Object[0], new String[0]);
    call("startRecording", ids[i]);
    ends[i] = System.nanoTime() + random.nextInt(LIFE_MILLIS_MAX) * 1_000_000L;
  }

  private void end(long id) throws JMException {
    call("stopRecording", id);
    call("closeRecording", id);
  }

  private void call(String operation, long id) throws JMException {
    server.invoke(bean, operation, new Object[] {id}, new String[] {"long"});
  }

  private long cpuNanos() throws IOException {
    long sum = 0;
    try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
      for (Path task : tasks.toList()) {
        List<String> name = lines(task.resolve("comm"));
        List<String> times = lines(task.resolve("schedstat"));
        boolean counts =
            task.getFileName().toString().equals(thread)
                || !name.isEmpty() && name.get(0).startsWith("jebpf-");
        sum += counts && !times.isEmpty() ? Long.parseLong(times.get(0).split(" ")[0]) : 0;
      }
    }
    return sum;
  }

  /** Empty when it has gone meanwhile. */
  private static List<String> lines(Path file) {
    try {
      return new ArrayList<>(Files.readAllLines(file));
    } catch (IOException e) {
      return List.of();
    }
  }
}
