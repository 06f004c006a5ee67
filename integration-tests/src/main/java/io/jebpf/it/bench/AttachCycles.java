package io.jebpf.it.bench;

import io.jebpf.it.harness.Attach;
import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.harness.RunningJvm;
import io.jebpf.it.workload.AttachLoad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
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
  private static final Pattern HISTOGRAM =
      Pattern.compile("^\\s*\\d+:\\s+(\\d+)\\s+\\d+\\s+(io\\.jebpf\\S*)", Pattern.MULTILINE);
  private static final Pattern COUNTER =
      Pattern.compile("^(java\\.cls\\.\\w+)=([0-9]+)$", Pattern.MULTILINE);

  /**
   * What a JVM holds at one moment.
   *
   * @param bpf file descriptors of BPF objects and perf events
   * @param classes loaded, less unloaded
   * @param instances of the agent's classes, after a collection
   * @param residentBytes without files
   */
  public record Held(
      long fds, long bpf, long threads, long classes, long instances, long residentBytes) {}

  /**
   * @param answersFailed requests that were not done
   */
  public record Result(Held before, Held after, int cycles, int answersFailed, double seconds) {}

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
        "resident KiB", new long[] {before.residentBytes() >> 10, after.residentBytes() >> 10});
    System.out.printf("%-22s %10s %10s %10s%n", "", "before", "after", "growth");
    rows.forEach(
        (what, values) ->
            System.out.printf(
                "%-22s %10d %10d %+10d%n", what, values[0], values[1], values[1] - values[0]));
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
        long began = System.nanoTime();
        for (int done = 0; done < after; done += 100) {
          failed += cycles(attach, Math.min(100, after - done), out);
          if (verbose) {
            System.out.println((done + 100) + " cycles: " + held(running.pid()));
          }
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        return new Result(first, held(running.pid()), after, failed, seconds);
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
    Map<String, Long> counters = new TreeMap<>();
    Matcher counter = COUNTER.matcher(jcmd(pidText, "PerfCounter.print"));
    while (counter.find()) {
      counters.put(counter.group(1), Long.parseLong(counter.group(2)));
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
          counters.get("java.cls.loadedClasses") - counters.get("java.cls.unloadedClasses"),
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
    builder.command().addAll(java.util.List.of(arguments));
    Process process = builder.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IllegalStateException("jcmd " + String.join(" ", arguments) + ": " + output);
    }
    return output;
  }
}
