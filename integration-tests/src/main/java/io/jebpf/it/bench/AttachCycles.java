package io.jebpf.it.bench;

import io.jebpf.it.harness.Attach;
import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.harness.RunningJvm;
import io.jebpf.it.workload.AttachLoad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Attaches and detaches the agent many times and reads what is left in the JVM each time: what a
 * thousand users of {@code attach} and {@code detach} would leave. Arguments: working directory,
 * cycles before the first reading, cycles after it.
 *
 * <p>The heap is small, fixed and touched beforehand, so that resident memory is that of everything
 * else.
 */
public final class AttachCycles {
  private static final int DEADLINE_SECONDS = 120;

  /** How often is looked what is held. */
  private static final int READINGS = 20;

  private static final Pattern HISTOGRAM =
      Pattern.compile("^\\s*\\d+:\\s+(\\d+)\\s+\\d+\\s+(io\\.jebpf\\S*)", Pattern.MULTILINE);

  /** Loaders, classes, then bytes of metaspace: chunks, and what of them is in use. */
  private static final Pattern CLASSES =
      Pattern.compile("^Total = \\d+\\s+(\\d+)\\s+\\d+\\s+(\\d+)", Pattern.MULTILINE);

  /** Growth of resident memory that is allowed. */
  private static final long RESIDENT_GROWTH_MAX = 5 << 20;

  /** Constants that are made at their first use; what a cycle leaves is a thousand or more. */
  private static final long INSTANCES_GROWTH_MAX = 20;

  /** Classes that the JVM makes for its own reflection at any time. */
  private static final long CLASSES_GROWTH_MAX = 20;

  /**
   * What a JVM holds at one moment.
   *
   * @param bpf file descriptors of BPF objects and perf events
   * @param classes that there are; the JVM's counters of loaded and unloaded ones would not do, for
   *     they take a class that was changed and changed back for two more
   * @param metaspaceBytes used for them
   * @param instances of the agent's classes, after a collection
   * @param residentBytes without files
   */
  public record Held(
      long fds,
      long bpf,
      long threads,
      long classes,
      long metaspaceBytes,
      long instances,
      long residentBytes) {}

  /**
   * @param readings in between, at equal distances
   * @param answersFailed requests that were not done
   */
  public record Result(
      Held before, List<Held> readings, Held after, int cycles, int answersFailed, double seconds) {

    /**
     * Median resident memory of the first or of the last quarter of the readings: a single one
     * depends on when the C library gives memory back, by 20 MB either way.
     */
    long residentBytes(boolean last) {
      int some = Math.max(1, readings.size() / 4);
      List<Long> sorted =
          readings
              .subList(last ? readings.size() - some : 0, last ? readings.size() : some)
              .stream()
              .map(Held::residentBytes)
              .sorted()
              .toList();
      return sorted.get(sorted.size() / 2);
    }
  }

  private AttachCycles() {}

  public static void main(String[] args) throws Exception {
    Result result =
        run(Path.of(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2]), true);
    System.out.printf(
        Locale.ROOT,
        "%d attach/detach cycles in %.1f s (%.0f ms each), %d not done%n",
        result.cycles(),
        result.seconds(),
        1000 * result.seconds() / result.cycles(),
        result.answersFailed());
    Map<String, long[]> rows = new LinkedHashMap<>();
    Held before = result.before();
    Held after = result.after();
    rows.put("file descriptors", new long[] {before.fds(), after.fds()});
    rows.put("of them BPF and perf", new long[] {before.bpf(), after.bpf()});
    rows.put("threads", new long[] {before.threads(), after.threads()});
    rows.put("classes", new long[] {before.classes(), after.classes()});
    rows.put("instances of ours", new long[] {before.instances(), after.instances()});
    rows.put(
        "metaspace KiB", new long[] {before.metaspaceBytes() >> 10, after.metaspaceBytes() >> 10});
    rows.put(
        "resident KiB",
        new long[] {result.residentBytes(false) >> 10, result.residentBytes(true) >> 10});
    System.out.printf("%-22s %10s %10s %10s%n", "", "before", "after", "growth");
    rows.forEach(
        (what, values) ->
            System.out.printf(
                "%-22s %10d %10d %+10d%n", what, values[0], values[1], values[1] - values[0]));
    boolean grew =
        after.fds() > before.fds()
            || after.bpf() > 0
            || after.threads() > before.threads()
            || after.instances() > before.instances() + INSTANCES_GROWTH_MAX
            || after.classes() > before.classes() + CLASSES_GROWTH_MAX
            || result.residentBytes(true) > result.residentBytes(false) + RESIDENT_GROWTH_MAX;
    System.out.println(grew || result.answersFailed() > 0 ? "FAILED: it grows" : "does not grow");
    System.exit(grew || result.answersFailed() > 0 ? 1 : 0);
  }

  /** Runs the cycles in a JVM of its own. */
  public static Result run(Path work, int before, int after, boolean verbose) throws Exception {
    Path answers = Files.createDirectories(work.resolve("answers"));
    ChildJvm jvm =
        ChildJvm.in(Files.createDirectories(work.resolve("target")))
            .jvm(
                "-XX:+EnableDynamicAgentLoading",
                "-XX:+UseSerialGC",
                "-Xms128m",
                "-Xmx128m",
                "-XX:+AlwaysPreTouch")
            .main(AttachLoad.class, 24 * 3600);
    try (RunningJvm running = jvm.start()) {
      running.awaitOutput("ready=1", DEADLINE_SECONDS);
      try (Attach attach = Attach.to(running.pid(), Locations.agentJar(), answers)) {
        Path out = work.resolve("out");
        int failed = cycles(attach, before, out);
        Held first = held(running.pid());
        int step = Math.max(1, after / READINGS);
        List<Held> readings = new ArrayList<>();
        long began = System.nanoTime();
        for (int done = 0; done < after; done += step) {
          failed += cycles(attach, Math.min(step, after - done), out);
          readings.add(held(running.pid()));
          if (verbose) {
            System.out.println((done + step) + " cycles: " + readings.getLast());
          }
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        return new Result(first, List.copyOf(readings), readings.getLast(), after, failed, seconds);
      }
    }
  }

  private static int cycles(Attach attach, int count, Path out) throws Exception {
    int failed = 0;
    for (int i = 0; i < count; i++) {
      String started =
          attach.request("out=" + out + ",disk=1m,cpu=999,log=error", DEADLINE_SECONDS);
      String stopped = attach.request("detach", DEADLINE_SECONDS);
      if (!started.startsWith("ok ") || !stopped.startsWith("ok stopped")) {
        failed++;
        System.err.println(started + " / " + stopped);
      }
    }
    return failed;
  }

  private static Held held(long pid) throws Exception {
    String pidText = Long.toString(pid);
    jcmd(pidText, "GC.run");
    Matcher classes = CLASSES.matcher(jcmd(pidText, "VM.classloader_stats"));
    if (!classes.find()) {
      throw new IllegalStateException("jcmd VM.classloader_stats has no total");
    }
    long instances = 0;
    Matcher line = HISTOGRAM.matcher(jcmd(pidText, "GC.class_histogram"));
    while (line.find()) {
      instances += Long.parseLong(line.group(1));
    }
    Path process = Path.of("/proc", pidText);
    long bpf = 0;
    long fds = 0;
    try (Stream<Path> all = Files.list(process.resolve("fd"))) {
      for (Path fd : all.toList()) {
        String what = link(fd);
        fds += what.isEmpty() ? 0 : 1;
        bpf += what.startsWith("anon_inode:bpf") || what.contains("perf_event") ? 1 : 0;
      }
    }
    try (Stream<Path> threads = Files.list(process.resolve("task"))) {
      return new Held(
          fds,
          bpf,
          threads.count(),
          Long.parseLong(classes.group(1)),
          Long.parseLong(classes.group(2)),
          instances,
          resident(process));
    }
  }

  private static String link(Path fd) {
    try {
      return Files.readSymbolicLink(fd).toString();
    } catch (IOException e) {
      return ""; // closed meanwhile
    }
  }

  private static long resident(Path process) throws IOException {
    for (String line : Files.readAllLines(process.resolve("status"))) {
      if (line.startsWith("RssAnon:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) << 10;
      }
    }
    throw new IOException("no RssAnon in " + process);
  }

  private static String jcmd(String... arguments) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin/jcmd").toString());
    builder.command().addAll(List.of(arguments));
    Process process = builder.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IllegalStateException("jcmd " + String.join(" ", arguments) + ": " + output);
    }
    return output;
  }
}
