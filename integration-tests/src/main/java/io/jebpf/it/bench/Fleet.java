package io.jebpf.it.bench;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.options.Options.LogLevel;
import io.jebpf.agent.options.OptionsBuilder;
import io.jebpf.agent.options.ServerKind;
import io.jebpf.agent.options.ServerOptions;
import io.jebpf.agent.options.UploadOptions;
import io.jebpf.agent.upload.Call;
import io.jebpf.agent.upload.Reply;
import io.jebpf.agent.upload.Sender;
import io.jebpf.agent.upload.Transport;
import io.jebpf.it.pprof.ProtoReader;
import io.jebpf.it.receiver.Exchange;
import io.jebpf.it.receiver.HttpReceiver;
import io.jebpf.it.receiver.SyntheticProfiles;
import io.jebpf.it.workload.FreePort;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.TreeMap;
import javax.net.ServerSocketFactory;

/**
 * Many agents against one Pyroscope receiver that goes away for some minutes: the agent's own
 * sender with its spool for each, real requests on real sockets, and one clock that jumps from
 * event to event. Arguments: agents, minutes down, directory. Prints the load of the server by ten
 * seconds, and fails when a profile is missing or there twice.
 */
public final class Fleet {
  private static final long SECOND = 1_000_000_000L;
  private static final long WINDOW = 10 * SECOND;
  private static final long BEFORE = 60 * SECOND;
  private static final long AFTER_MAX = 3_600 * SECOND;
  private static final int BUCKET_SECONDS = 10;

  /** Most in ten seconds, in parts of the mean, before the outage: windows are spread. */
  private static final double STEADY_PEAK_MAX = 1.5;

  /** The same after it: what waits is sent at four times the usual rate, beside what is new. */
  private static final double RETURN_PEAK_MAX = 8;

  private final int agents;
  private final Path directory;
  private final int port;
  private final List<Sender> senders = new ArrayList<>();
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private final Map<String, Integer> ids = new HashMap<>();
  private final TreeMap<Long, Integer> load = new TreeMap<>();
  private final TreeMap<Long, Integer> tries = new TreeMap<>();
  private final long wallStart = System.currentTimeMillis() - 3_600_000;
  private final Random random = new Random(7);
  private final Transport shared;
  private long now;
  private long order;
  private long put;
  private Optional<HttpReceiver> server = Optional.empty();

  private record Event(long at, long order, int agent, boolean window)
      implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
    }
  }

  /**
   * What came out.
   *
   * @param put profiles that were made
   * @param arrived different ones at the server
   * @param twice of these, more than once
   * @param steadyPeak most in ten seconds while all is well, in parts of the mean
   * @param returnPeak most in ten seconds after the return, in parts of the steady mean
   * @param refusedPerSecond mean of the tries while the server is down
   * @param drainSeconds until everything has arrived
   */
  public record Outcome(
      long put,
      long arrived,
      long twice,
      double steadyPeak,
      double returnPeak,
      double refusedPerSecond,
      long drainSeconds) {

    /** What is wrong; empty when nothing is. */
    public String failure() {
      if (put != arrived) {
        return put - arrived + " profiles are missing";
      }
      if (twice > 0) {
        return twice + " profiles came twice";
      }
      return steadyPeak > STEADY_PEAK_MAX || returnPeak > RETURN_PEAK_MAX
          ? "the load is not steady"
          : "";
    }
  }

  public Fleet(int agents, Path directory) throws IOException {
    this.agents = agents;
    this.directory = directory;
    this.port = FreePort.find();
    this.shared =
        Sender.http(
            ServerOptions.of(ServerKind.PYROSCOPE, URI.create("http://127.0.0.1:" + port)),
            "jebpf fleet",
            work -> Thread.ofPlatform().daemon().name("fleet-http").unstarted(work));
  }

  public static void main(String[] args) throws Exception {
    Path directory = Files.createDirectories(Path.of(args[2]));
    Fleet fleet = new Fleet(Integer.parseInt(args[0]), directory);
    Outcome outcome = fleet.run(Integer.parseInt(args[1]));
    System.out.println("seconds  arrived/s  refused/s");
    for (long bucket = 0; bucket <= fleet.load.lastKey(); bucket++) {
      System.out.printf(
          Locale.ROOT,
          "%7d %10.1f %10.1f%n",
          bucket * BUCKET_SECONDS,
          fleet.load.getOrDefault(bucket, 0) / (double) BUCKET_SECONDS,
          fleet.tries.getOrDefault(bucket, 0) / (double) BUCKET_SECONDS);
    }
    System.out.printf(
        Locale.ROOT,
        "%d profiles were made, %d arrived, %d of them twice; busiest ten seconds %.2f of the mean"
            + " before the outage (at most %.1f) and %.2f after it (at most %.1f); %.0f tries a"
            + " second while it was down; all had arrived %d s after its end%n",
        outcome.put(),
        outcome.arrived(),
        outcome.twice(),
        outcome.steadyPeak(),
        STEADY_PEAK_MAX,
        outcome.returnPeak(),
        RETURN_PEAK_MAX,
        outcome.refusedPerSecond(),
        outcome.drainSeconds());
    String failure = outcome.failure();
    System.out.println(failure.isEmpty() ? "PASSED" : "FAILED: " + failure);
    System.exit(failure.isEmpty() ? 0 : 1);
  }

  public Outcome run(int minutesDown) throws Exception {
    start();
    for (int i = 0; i < agents; i++) {
      senders.add(sender(i));
      event((long) (WINDOW * (0.2 + 0.8 * random.nextDouble())), i, true); // as windows start
    }
    long down = BEFORE;
    long up = down + 60L * minutesDown * SECOND;
    long lastWindow = up + 60 * SECOND;
    boolean isDown = false;
    boolean wasDown = false;
    while (!events.isEmpty() && now < lastWindow + AFTER_MAX) {
      Event next = events.remove();
      if (!wasDown && next.at() >= down) {
        server.orElseThrow().close();
        isDown = true;
        wasDown = true;
      }
      if (isDown && next.at() >= up) {
        start();
        isDown = false;
      }
      now = Math.max(now, next.at());
      if (next.window() && now < lastWindow) {
        window(next.agent());
      } else if (!next.window()) {
        long wait = senders.get(next.agent()).step();
        if (now < lastWindow || ids.size() < put) {
          event(now + Math.max(wait, 1_000_000), next.agent(), false);
        }
      }
    }
    server.orElseThrow().close();
    return outcome(down, up);
  }

  private Outcome outcome(long down, long up) {
    long bucket = BUCKET_SECONDS * SECOND;
    double steady = mean(load, 1, down / bucket);
    long end = load.lastKey();
    return new Outcome(
        put,
        ids.size(),
        ids.values().stream().filter(count -> count > 1).count(),
        peak(load, 1, down / bucket) / steady,
        peak(load, up / bucket, end + 1) / steady,
        mean(tries, down / bucket, up / bucket) / BUCKET_SECONDS,
        (end + 1) * BUCKET_SECONDS - up / SECOND);
  }

  private static double mean(Map<Long, Integer> counts, long from, long to) {
    double sum = 0;
    for (long i = from; i < to; i++) {
      sum += counts.getOrDefault(i, 0);
    }
    return sum / (to - from);
  }

  private static double peak(Map<Long, Integer> counts, long from, long to) {
    double peak = 0;
    for (long i = from; i < to; i++) {
      peak = Math.max(peak, counts.getOrDefault(i, 0));
    }
    return peak;
  }

  private void event(long at, int agent, boolean window) {
    events.add(new Event(at, order++, agent, window));
  }

  private void window(int agent) {
    // A start of its own for each, so that a profile can be told from all others.
    long start = wallStart + now / 1_000_000;
    senders.get(agent).put("cpu", start, SyntheticProfiles.cpu(start, 200, 30, 8, Map.of()));
    put++;
    event(now, agent, false);
    event(now + WINDOW, agent, true);
  }

  private void start() {
    server = Optional.of(HttpReceiver.start(port, ServerSocketFactory.getDefault(), this::receive));
  }

  private synchronized Exchange.Answer receive(Exchange request) {
    load.merge(now / SECOND / BUCKET_SECONDS, 1, Integer::sum);
    ProtoReader push = new ProtoReader(request.body());
    while (push.next()) {
      ProtoReader series = push.message();
      while (series.next()) {
        ProtoReader inner = series.message();
        while (inner.next()) {
          if (series.field() == 2 && inner.field() == 2) {
            ids.merge(inner.string(), 1, Integer::sum);
          } else {
            inner.skip();
          }
        }
      }
    }
    return new Exchange.Answer(200, Map.of("Content-Type", "application/proto"), new byte[0]);
  }

  private Sender sender(int agent) {
    Options options =
        new OptionsBuilder("fleet")
            .uploads(
                new UploadOptions(
                    List.of(
                        ServerOptions.of(
                            ServerKind.PYROSCOPE, URI.create("http://127.0.0.1:" + port))),
                    directory.resolve("spool-" + agent)))
            .logLevel(LogLevel.ERROR)
            .build();
    return new Sender(
        options,
        AgentLog.toFile(directory.resolve("log"), LogLevel.ERROR),
        new Sender.World(
            () -> now,
            () -> wallStart + now / 1_000_000,
            server -> new Counting(),
            Map.of("POD_NAME", "pod-" + agent),
            10_000,
            agent));
  }

  /** All agents' requests go through one client: a thousand selector threads prove nothing. */
  private final class Counting implements Transport {
    @Override
    public Reply post(Call call, long deadlineMillis) throws InterruptedException {
      Reply reply = shared.post(call, deadlineMillis);
      if (reply instanceof Reply.NoAnswer) {
        tries.merge(now / SECOND / BUCKET_SECONDS, 1, Integer::sum);
      }
      return reply;
    }

    @Override
    public void close() {
      // the shared one is not this agent's
    }
  }
}
