package io.jebpf.agent.upload;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.options.ServerOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * Sends profiles to the servers of the options: takes them from the writer, keeps them in the
 * spool, and delivers each to each server once. The work of thread "jebpf-sender" is {@link #run};
 * {@link #put} is the writer's and never waits for the network.
 */
public final class Sender {
  /** How often the spools of JVMs that died are looked for. */
  static final long ADOPT_NANOS = 60_000_000_000L;

  /** The spool may take one part in so many of the disk budget. */
  private static final int DISK_PARTS = 2;

  private static final long SPREAD_NANOS_MAX = 2_500_000_000L;

  /** What waits is sent so many times as fast as profiles come, so that the server can keep up. */
  private static final int CATCH_UP = 4;

  /** Profiles of a window, as long as it is not known how many come. */
  private static final int KINDS = 3;

  /** Profiles after which it is known. */
  private static final int PUTS_MIN = 4;

  /** After a defect; the state may be odd, and the log is not to be flooded. */
  private static final long FAILED_NANOS = 10_000_000_000L;

  /** At the end of the JVM no request is begun with less than this: it would be cut off. */
  private static final long END_REQUEST_NANOS = 50_000_000L;

  private final Spool spool;
  private final List<Lane> lanes = new ArrayList<>();
  private final Backoff backoff;
  private final AgentLog log;
  private final LongSupplier nanoClock;
  private final long spreadNanos;
  private final long deadlineMillis;
  private final long windowNanos;

  private volatile Optional<Thread> runner = Optional.empty();
  private volatile boolean ending;
  private volatile long endNanos;
  private volatile boolean putSince;
  private volatile long puts;
  private volatile long firstPutNanos;
  private long adoptNanos;
  private long failures;

  /**
   * What tests replace.
   *
   * @param deadlineMillis most that a request may take, and more for a large one
   */
  public record World(
      LongSupplier nanoClock,
      LongSupplier wallMillis,
      Function<ServerOptions, Transport> transports,
      Map<String, String> environment,
      long deadlineMillis,
      long seed) {}

  /** Real requests; the client is made at the first. */
  public static Transport http(ServerOptions server, String agent, ThreadFactory threads) {
    return new HttpTransport(server, agent.replace(' ', '/'), threads);
  }

  /** Empty when there is no server to send to. */
  public static Optional<Sender> of(
      Options options, String agent, AgentLog log, ThreadFactory threads) {
    if (!options.uploads().isOn()) {
      return Optional.empty();
    }
    World world =
        new World(
            System::nanoTime,
            System::currentTimeMillis,
            server -> http(server, agent, threads),
            System.getenv(),
            Lane.DEADLINE_MILLIS,
            System.nanoTime() * 31 + ProcessHandle.current().pid());
    return Optional.of(new Sender(options, log, world));
  }

  public Sender(Options options, AgentLog log, World world) {
    this.log = log;
    this.nanoClock = world.nanoClock();
    this.deadlineMillis = world.deadlineMillis();
    this.backoff = new Backoff(new SplittableRandom(world.seed()));
    this.spreadNanos = Math.min(options.windowNanos() / 4, SPREAD_NANOS_MAX);
    this.adoptNanos = nanoClock.getAsLong();
    List<ServerOptions> servers = options.uploads().servers();
    List<LaneCounters> counters = servers.stream().map(server -> new LaneCounters()).toList();
    String directory = options.service().replaceAll("[^A-Za-z0-9_-]", "_");
    directory = directory.substring(0, Math.min(directory.length(), 100));
    Path service = options.uploads().spool().resolve(directory);
    this.spool =
        new Spool(
            service,
            servers.stream().map(server -> server.kind().key()).toList(),
            new HostLabels(world.environment(), Path.of("/"))
                .of(options.service(), ProcessHandle.current().pid(), options.labels()),
            counters,
            options.diskBytes() / DISK_PARTS,
            log);
    this.windowNanos = options.windowNanos();
    for (int i = 0; i < servers.size(); i++) {
      ServerOptions server = servers.get(i);
      Lane.Parts parts =
          new Lane.Parts(
              i,
              server,
              Lane.protocol(server.kind()),
              world.transports().apply(server),
              counters.get(i));
      lanes.add(new Lane(parts, spool, backoff, world.wallMillis(), this::paceNanos, log));
    }
  }

  // ---- the writer's side

  /**
   * Takes a finished profile. Fast, and never fails.
   *
   * @param kind as in the names of files
   * @param startMillis since 1970
   */
  public void put(String kind, long startMillis, byte[] profile) {
    spool.put(kind, startMillis, profile);
    if (puts == 0) {
      firstPutNanos = nanoClock.getAsLong();
    }
    puts = puts + 1; // the writer is the only one who writes it
    putSince = true;
    runner.ifPresent(LockSupport::unpark);
  }

  // ---- for any thread

  /** Bytes on disk of what waits: to be left free by others that share the budget. */
  public long diskBytes() {
    return spool.diskBytes();
  }

  /** Whether the spool cannot be written now, which it has said. */
  public boolean diskFails() {
    return spool.diskFails();
  }

  /** Figures by name: {@code pyroscope.sent} and so on; docs/delivery.md lists them. */
  public Map<String, Long> figures() {
    Map<String, Long> figures = new TreeMap<>();
    for (Lane lane : lanes) {
      lane.counters().all().forEach((name, value) -> figures.put(lane.key() + "." + name, value));
      figures.put(lane.key() + ".waiting", spool.waiting(lane.index()));
      figures.put(lane.key() + ".labels_folded", lane.labelsFolded());
    }
    figures.put("spool.bytes", spool.diskBytes());
    figures.put("spool.torn", spool.torn());
    return figures;
  }

  /** For the stop line: how many profiles were sent and how many wait; empty when none came. */
  public String summary() {
    StringBuilder text = new StringBuilder();
    for (Lane lane : lanes) {
      LaneCounters counters = lane.counters();
      long sent = counters.get(LaneCounters.Count.SENT);
      long waiting = spool.waiting(lane.index());
      long dropped = counters.get(LaneCounters.Count.TAKEN) - sent - waiting;
      text.append(", ")
          .append(sent)
          .append(" sent to ")
          .append(lane.key())
          .append(" (")
          .append(waiting)
          .append(" wait, ")
          .append(dropped)
          .append(" dropped)");
    }
    return text.toString();
  }

  /** The JVM ends: what can be sent until then is sent, the rest waits on disk. */
  public void end(long deadlineNanos) {
    endNanos = deadlineNanos;
    ending = true;
    runner.ifPresent(LockSupport::unpark);
  }

  // ---- the sender's side

  /** Sends until {@link #end}. */
  public void run() throws InterruptedException {
    runner = Optional.of(Thread.currentThread());
    adopt();
    while (!ending) {
      long waitNanos = stepSafely();
      if (!ending && waitNanos > 0) {
        LockSupport.parkNanos(this, waitNanos);
      }
    }
    finish();
  }

  /** Profiles of JVMs of this service that are no more. */
  public void adopt() {
    int found = spool.adopt();
    if (found > 0) {
      log.info(found + " profiles of an ended JVM are sent with ours");
    }
    putSince |= found > 0;
  }

  private long stepSafely() throws InterruptedException {
    try {
      return step();
    } catch (RuntimeException e) {
      failures++;
      log.error(Trouble.SENDER, e.toString() + at(e));
      return FAILED_NANOS;
    } catch (OutOfMemoryError e) { // of the application's heap: what waits is on disk
      failures++;
      return FAILED_NANOS;
    }
  }

  private static String at(Throwable cause) {
    StackTraceElement[] trace = cause.getStackTrace();
    return trace.length == 0 ? "" : " at " + trace[0];
  }

  /** One profile for each server whose time it is; how long to wait before the next call. */
  public long step() throws InterruptedException {
    long now = nanoClock.getAsLong();
    if (now - adoptNanos >= ADOPT_NANOS) {
      adoptNanos = now + backoff.upTo(ADOPT_NANOS / 4);
      adopt();
    }
    if (putSince) {
      putSince = false;
      for (Lane lane : lanes) {
        lane.wake(now, spreadNanos);
      }
    }
    long wait = ADOPT_NANOS;
    for (Lane lane : lanes) {
      long next = lane.step(nanoClock.getAsLong(), false, deadlineMillis);
      wait = next == Long.MAX_VALUE ? wait : Math.min(wait, next - nanoClock.getAsLong());
    }
    return putSince ? 0 : Math.max(0, wait);
  }

  /** Mean time between two of a backlog that are sent. */
  private long paceNanos() {
    long between =
        puts < PUTS_MIN
            ? windowNanos / KINDS
            : (nanoClock.getAsLong() - firstPutNanos) / (puts - 1);
    return Math.min(between, windowNanos) / CATCH_UP * 4 / 3; // spread makes it three quarters
  }

  /** What servers that are well take in the time that is left. */
  public void finish() throws InterruptedException {
    List<Lane> open = new ArrayList<>(lanes);
    long left = endNanos - nanoClock.getAsLong();
    while (!open.isEmpty() && left > 0) {
      for (Lane lane : List.copyOf(open)) { // in turn: none is to take all of the time
        long now = nanoClock.getAsLong();
        left = endNanos - now;
        boolean more = lane.isWell() && left > END_REQUEST_NANOS;
        if (!more || lane.step(now, true, left / 1_000_000) == Long.MAX_VALUE) {
          open.remove(lane);
        }
      }
    }
    lanes.forEach(Lane::close);
    spool.close();
  }

  /** Times that the sender met a defect of ours. */
  public long defects() {
    return failures;
  }
}
