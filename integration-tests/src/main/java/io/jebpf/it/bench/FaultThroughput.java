package io.jebpf.it.bench;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.receiver.Exchange;
import io.jebpf.it.receiver.Fault;
import io.jebpf.it.receiver.HttpReceiver;
import io.jebpf.it.workload.FreePort;
import io.jebpf.it.workload.SteadyLoad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What an application gets done while the server that its agent sends to does wrong, beside one
 * with a server that is well and one without a server: a JVM for each run, the runs of all servers
 * in turn, medians. Three profiles are made a second, so that there is always something to send.
 * Arguments: directory, rounds, seconds of a run, threads of the application.
 */
public final class FaultThroughput {
  private static final int END_SECONDS = 180;
  private static final int WARM_SECONDS = 3;

  /** What the server does. */
  public enum Server {
    /** The agent sends nothing. */
    NONE(Fault.NONE, 0),
    /** Takes everything and looks at nothing: what that takes would be the application's loss. */
    WELL(Fault.NONE, 0),
    REFUSES(Fault.NONE, 0),
    HANGS_AT_ONCE(Fault.HANG_AT_ONCE, 0),
    HANGS_AFTER_REQUEST(Fault.HANG_AFTER_REQUEST, 0),
    RESETS(Fault.RESET_IN_BODY, 0),
    CLOSES_HALF(Fault.HALF_CLOSE, 0),
    GARBAGE(Fault.GARBAGE, 0),
    ENDLESS(Fault.ENDLESS, 0),
    SLOW(Fault.SLOW, 0),
    ANSWERS_429(Fault.NONE, 429),
    ANSWERS_503(Fault.NONE, 503),
    ANSWERS_401(Fault.NONE, 401);

    private final Fault fault;
    private final int status;

    Server(Fault fault, int status) {
      this.fault = fault;
      this.status = status;
    }
  }

  /**
   * Of one run.
   *
   * @param perSecond pieces of work in a second
   * @param perCpuSecond pieces of work for a second of CPU of the whole process, agent included
   * @param asked connections that reached the server
   */
  public record Run(double perSecond, double perCpuSecond, long asked) {}

  private final Path directory;
  private final int seconds;
  private final int threads;
  private int runs;

  public FaultThroughput(Path directory, int seconds, int threads) {
    this.directory = directory;
    this.seconds = seconds;
    this.threads = threads;
  }

  public static void main(String[] args) throws IOException {
    FaultThroughput bench =
        new FaultThroughput(Path.of(args[0]), Integer.parseInt(args[2]), Integer.parseInt(args[3]));
    bench.one(Server.WELL); // whatever is slower for the first time
    Map<Server, List<Run>> found = bench.run(Integer.parseInt(args[1]), Server.values());
    double plain = median(found.get(Server.NONE), false);
    double plainCpu = median(found.get(Server.NONE), true);
    System.out.printf(
        Locale.ROOT,
        "%-20s %10s %8s %14s %8s %12s%n",
        "server",
        "pieces/s",
        "of none",
        "pieces/CPU-s",
        "of none",
        "connections");
    found.forEach(
        (server, all) ->
            System.out.printf(
                Locale.ROOT,
                "%-20s %10.0f %8.3f %14.0f %8.3f %12d%n",
                server.name().toLowerCase(Locale.ROOT),
                median(all, false),
                median(all, false) / plain,
                median(all, true),
                median(all, true) / plainCpu,
                all.stream().mapToLong(Run::asked).sum()));
    System.out.printf(
        Locale.ROOT,
        "noise: the best run without a server did %.3f of the worst one%n",
        spread(found));
  }

  /** The best of the runs without a server in parts of the worst. */
  private static double spread(Map<Server, List<Run>> found) {
    List<Double> sorted = found.get(Server.NONE).stream().map(Run::perSecond).sorted().toList();
    return sorted.getLast() / sorted.getFirst();
  }

  public static double median(List<Run> runs, boolean perCpu) {
    List<Double> sorted =
        new ArrayList<>(runs.stream().map(r -> perCpu ? r.perCpuSecond() : r.perSecond()).toList());
    Collections.sort(sorted);
    return sorted.get(sorted.size() / 2);
  }

  public Map<Server, List<Run>> run(int rounds, Server... servers) throws IOException {
    Map<Server, List<Run>> found = new LinkedHashMap<>();
    for (int round = 0; round < rounds; round++) {
      for (Server server : servers) {
        found.computeIfAbsent(server, s -> new ArrayList<>()).add(one(server));
      }
    }
    return found;
  }

  private Run one(Server server) throws IOException {
    if (server == Server.NONE) {
      return one("", () -> 0);
    }
    if (server == Server.REFUSES) {
      return one(",pyroscope=http://127.0.0.1:" + FreePort.find(), () -> 0);
    }
    boolean error = server.status != 0; // asked again as soon as can be
    Map<String, String> headers =
        error ? Map.of("Retry-After", "1") : Map.of("Content-Type", "application/proto");
    Exchange.Answer answer = new Exchange.Answer(error ? server.status : 200, headers, new byte[0]);
    try (HttpReceiver http = HttpReceiver.start(request -> answer)) {
      http.fault(server.fault);
      Run run = one(",pyroscope=" + http.url(), http::connections);
      if (run.asked() == 0) {
        throw new IllegalStateException(server + " was not asked");
      }
      return run;
    }
  }

  private Run one(String sending, java.util.function.LongSupplier asked) throws IOException {
    Path own = Files.createDirectories(directory.resolve("run-" + runs++));
    ChildResult result =
        ChildJvm.in(own)
            .jvm("-XX:+UseSerialGC", "-Xmx256m")
            .agent("window=1s,log=error,out=off,spool=" + own.resolve("spool") + sending)
            .main(SteadyLoad.class, threads, WARM_SECONDS, seconds)
            .run(END_SECONDS);
    if (result.exitCode() != 0) {
      throw new IllegalStateException(result.toString());
    }
    double pieces = result.value("pieces");
    return new Run(
        1e9 * pieces / result.value("wall"), 1e9 * pieces / result.value("cpu"), asked.getAsLong());
  }
}
