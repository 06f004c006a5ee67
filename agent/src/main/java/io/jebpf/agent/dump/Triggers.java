package io.jebpf.agent.dump;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.ondemand.OnDemandException;
import io.jebpf.agent.ondemand.Profiles;
import io.jebpf.agent.options.DumpOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Looks once a second whether something happened that asks for a dump. A trigger that has fired is
 * quiet until its cause was gone, and for as long as a dump reaches back. Owner: thread
 * "jebpf-reader", for which no look takes more than some 10 us; what takes longer (the share of a
 * group of threads) is done on a thread of its own.
 */
public final class Triggers {
  private static final long LOOK_NANOS = 1_000_000_000L;

  /** Name of the file in {@code out} that asks for a dump. */
  static final String FILE = "dump";

  private final DumpOptions options;
  private final Path directory;
  private final Dumps dumps;
  private final Profiles profiles;
  private final Dumps.Threads threads;
  private final AgentLog log;
  private final LongSupplier processNanos;
  private final Supplier<OptionalLong> outOfMemoryErrors;
  private Optional<GcPauses> gc = Optional.empty();
  private boolean gcMissing;
  private long lookedNanos;
  private long cpuNanos;
  private long cpuAboveSinceNanos;
  private boolean cpuQuiet;
  private long poolLookedNanos;
  private volatile boolean poolBusy;
  private volatile boolean poolQuiet;
  private long gcQuietUntilNanos;
  private OptionalLong errors = OptionalLong.empty();
  private boolean errorsMissing;

  /**
   * @param processNanos CPU time of this process
   * @param outOfMemoryErrors thrown by the JVM so far; empty when it is not known
   */
  public Triggers(
      DumpOptions options,
      Path directory,
      Dumps dumps,
      Profiles profiles,
      Dumps.Threads threads,
      AgentLog log,
      LongSupplier processNanos,
      Supplier<OptionalLong> outOfMemoryErrors) {
    this.options = options;
    this.directory = directory;
    this.dumps = dumps;
    this.profiles = profiles;
    this.threads = threads;
    this.log = log;
    this.processNanos = processNanos;
    this.outOfMemoryErrors = outOfMemoryErrors;
  }

  public void look(long nowNanos) {
    if (options.isOff() || nowNanos - lookedNanos < LOOK_NANOS) {
      return;
    }
    long elapsed = nowNanos - lookedNanos;
    boolean first = lookedNanos == 0;
    lookedNanos = nowNanos;
    if (options.on().contains("file")) {
      lookForFile();
    }
    if (options.on().contains("oom")) {
      lookForErrors();
    }
    if (options.cpu().isPresent()) {
      lookAtCpu(options.cpu().get(), nowNanos, elapsed, first);
    }
    if (options.offCpu().isPresent()) {
      lookAtPool(options.offCpu().get(), nowNanos);
    }
    if (options.gcNanos() > 0) {
      lookAtGc(nowNanos);
    }
  }

  private void lookForFile() {
    Path file = directory.resolve(FILE);
    if (!Files.exists(file)) {
      return;
    }
    try {
      Files.delete(file); // else it would ask again and again
      dumps.ask("file");
    } catch (IOException e) {
      log.debug(file + ": " + e);
    }
  }

  private void lookForErrors() {
    OptionalLong now = outOfMemoryErrors.get();
    if (now.isEmpty() && !errorsMissing) {
      errorsMissing = true;
      log.warn(Trouble.DUMP_TRIGGER, "dump.on=oom");
    }
    if (now.isPresent() && errors.isPresent() && now.getAsLong() > errors.getAsLong()) {
      dumps.ask("oom");
    }
    errors = now;
  }

  private void lookAtCpu(DumpOptions.Level level, long now, long elapsed, boolean first) {
    long nanos = processNanos.getAsLong();
    double share = (double) (nanos - cpuNanos) / elapsed;
    cpuNanos = nanos;
    if (first || share < level.share()) {
      cpuAboveSinceNanos = now;
      cpuQuiet = false;
    } else if (!cpuQuiet && now - cpuAboveSinceNanos >= level.nanos()) {
      cpuQuiet = true;
      dumps.ask("cpu");
    }
  }

  private void lookAtPool(DumpOptions.Level level, long now) {
    if (poolBusy || now - poolLookedNanos < level.nanos()) {
      return;
    }
    boolean first = poolLookedNanos == 0;
    poolLookedNanos = now;
    if (first) {
      return;
    }
    poolBusy = true;
    threads.start(
        "dump-look",
        () -> {
          try {
            askIfAbove(level, now);
          } finally {
            poolBusy = false;
          }
        });
  }

  private void askIfAbove(DumpOptions.Level level, long now) {
    try {
      Profiles.Times times = profiles.times(now - level.nanos(), now, level.threads());
      double whole = times.cpuNanos() + times.offCpuNanos();
      if (whole == 0 || times.offCpuNanos() / whole < level.share()) {
        poolQuiet = false;
      } else if (!poolQuiet) {
        poolQuiet = true;
        dumps.ask("offcpu");
      }
    } catch (OnDemandException e) {
      log.debug("share of " + level.threads() + ": " + e.getMessage());
    }
  }

  private void lookAtGc(long now) {
    if (gcMissing) {
      return;
    }
    try {
      if (gc.isEmpty()) {
        gc = Optional.of(new GcPauses());
      }
      if (gc.get().longestMillis() * 1_000_000 >= options.gcNanos() && now >= gcQuietUntilNanos) {
        gcQuietUntilNanos = now + options.lastNanos();
        dumps.ask("gc");
      }
    } catch (LinkageError e) {
      gcMissing = true;
      log.debug("no pauses of the garbage collector: " + e);
    }
  }
}
