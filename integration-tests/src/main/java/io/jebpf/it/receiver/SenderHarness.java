package io.jebpf.it.receiver;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.options.Options.LogLevel;
import io.jebpf.agent.options.OptionsBuilder;
import io.jebpf.agent.options.ServerOptions;
import io.jebpf.agent.options.UploadOptions;
import io.jebpf.agent.upload.Sender;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The agent's sender with a clock that jumps over its waits: real sockets, real files, and ten
 * minutes of outage in a second. Owner: one thread.
 */
public final class SenderHarness {
  private final Sender sender;
  private final Path logFile;
  private long skippedNanos;

  public SenderHarness(Path directory, ServerOptions... servers) {
    this(directory, 256L << 20, 10_000, servers);
  }

  /**
   * @param directory for the spool and the log
   * @param deadlineMillis of a request, in real time
   */
  public SenderHarness(
      Path directory, long diskBytes, long deadlineMillis, ServerOptions... servers) {
    this("test service", directory, diskBytes, deadlineMillis, servers);
  }

  /** With the name of a service, to deliver what a JVM of it left. */
  public SenderHarness(
      String service,
      Path directory,
      long diskBytes,
      long deadlineMillis,
      ServerOptions... servers) {
    this(new OptionsBuilder(service), directory, diskBytes, deadlineMillis, servers);
  }

  /** With options beside those of uploads. */
  public SenderHarness(
      OptionsBuilder builder,
      Path directory,
      long diskBytes,
      long deadlineMillis,
      ServerOptions... servers) {
    logFile = directory.resolve("log");
    Options options =
        builder
            .out(Optional.empty())
            .diskBytes(diskBytes)
            .uploads(new UploadOptions(List.of(servers), directory.resolve("spool")))
            .logLevel(LogLevel.DEBUG)
            .build();
    sender =
        new Sender(
            options,
            AgentLog.toFile(logFile, LogLevel.DEBUG),
            new Sender.World(
                this::nanos,
                () -> nanos() / 1_000_000 + wallOffsetMillis,
                server ->
                    Sender.http(
                        server,
                        "jebpf test",
                        work -> Thread.ofPlatform().daemon().name("jebpf-http").unstarted(work)),
                Map.of("POD_NAME", "pod-1", "POD_NAMESPACE", "shop", "NODE_NAME", "node-7"),
                deadlineMillis,
                42));
    sender.adopt();
  }

  private final long wallOffsetMillis = System.currentTimeMillis() - System.nanoTime() / 1_000_000;

  private long nanos() {
    return System.nanoTime() + skippedNanos;
  }

  /** The sender's wall clock. */
  public long wallMillis() {
    return nanos() / 1_000_000 + wallOffsetMillis;
  }

  public Sender sender() {
    return sender;
  }

  public Path logFile() {
    return logFile;
  }

  /** Puts profiles that start one after the other, ten seconds apart; their keys at a receiver. */
  public List<String> put(int count, long firstMillis) {
    List<String> keys = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long start = firstMillis + 10_000L * i;
      sender.put("cpu", start, SyntheticProfiles.small(start));
      keys.add("process_cpu@" + start * 1_000_000);
    }
    return keys;
  }

  /** Runs for a time of the sender's clock. */
  public void run(long millis) throws InterruptedException {
    long end = nanos() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (nanos() < end) {
      long wait = sender.step();
      skippedNanos += Math.min(Math.max(0, wait), Math.max(0, end - nanos()));
    }
  }

  /** Runs until nothing waits, but no longer than a time of the sender's clock. */
  public void drain(long millis) throws InterruptedException {
    long end = nanos() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (waiting() > 0 && nanos() < end) {
      long wait = sender.step();
      skippedNanos += waiting() == 0 ? 0 : Math.max(0, wait);
    }
  }

  public long waiting() {
    return sender.figures().entrySet().stream()
        .filter(entry -> entry.getKey().endsWith(".waiting"))
        .mapToLong(Map.Entry::getValue)
        .sum();
  }

  public long figure(String name) {
    return sender.figures().getOrDefault(name, 0L);
  }

  /** What does not add up for a server: empty when every profile is accounted for. */
  public String imbalance(String server) {
    Map<String, Long> figures = sender.figures();
    long dropped =
        figures.entrySet().stream()
            .filter(entry -> entry.getKey().startsWith(server + ".dropped_"))
            .mapToLong(Map.Entry::getValue)
            .sum();
    long taken = figures.get(server + ".taken");
    long rest = taken - figures.get(server + ".sent") - figures.get(server + ".waiting") - dropped;
    return rest == 0 ? "" : rest + " of " + taken + " profiles are unaccounted for: " + figures;
  }

  /** Ends the sender as a JVM's end does. */
  public void end() throws InterruptedException {
    sender.end(nanos() + TimeUnit.SECONDS.toNanos(2));
    sender.finish();
  }
}
