package io.jebpf.agent.engine;

import io.jebpf.agent.offcpu.ParkRecorder;
import io.jebpf.agent.offcpu.ParkStats;
import io.jebpf.agent.vthread.HookException;
import io.jebpf.agent.vthread.ParkHook;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Window;
import io.jebpf.bpf.KernelStat;
import io.jebpf.bpf.ParkView;
import io.jebpf.bpf.Parks;
import io.jebpf.bpf.SampleView;
import java.lang.instrument.Instrumentation;
import java.util.Optional;

/**
 * Parks of virtual threads over the real kernel: the hook in the JVM, the records that come of it,
 * and how many of them the budget allows. Owner: thread "jebpf-reader".
 */
final class KernelParks {
  /** Of the budget, what the stacks of parks may take. */
  private static final double BUDGET_SHARE = 0.25;

  private static final double FALL_MARGIN = 0.9;
  private static final double RISE_BELOW = 0.6;
  private static final double RISE_FACTOR = 1.25;

  private final Parks parks;
  private final ParkHook hook;
  private final ParkRecorder recorder;
  private final double budgetShare;
  private final long swallowedBefore;
  private long period;
  private long programNanos;
  private long readNanos;
  private long lost;

  private KernelParks(Parks parks, ParkHook hook, ParkRecorder recorder, long budgetMillionths) {
    this.parks = parks;
    this.hook = hook;
    this.recorder = recorder;
    this.swallowedBefore = hook.swallowed();
    this.budgetShare = BUDGET_SHARE * budgetMillionths / 1e6;
  }

  /** Puts the hook in. Nothing of it is left when this throws. */
  static KernelParks open(
      Parks parks,
      Instrumentation instrumentation,
      ParkRecorder recorder,
      long periodNanos,
      long budgetMillionths)
      throws HookException {
    ParkHook hook = ParkHook.install(instrumentation, parks);
    KernelParks opened = new KernelParks(parks, hook, recorder, budgetMillionths);
    opened.period = periodNanos;
    opened.readNanos = System.nanoTime();
    parks.open(periodNanos);
    return opened;
  }

  /** Why virtual threads that the JVM unmounts are not seen; empty: they are, or there are none. */
  Optional<String> withoutMonitors() {
    return hook.withoutMonitors();
  }

  /** Why parks are not divided at the unpark; empty: they are. */
  Optional<String> withoutUnparks() {
    return hook.withoutUnparks();
  }

  void into(Window window) {
    recorder.into(window);
  }

  void beginWindow() {
    recorder.beginWindow();
  }

  void add(SampleView sample, ParkView park, Labels thread) {
    recorder.add(sample, park, thread);
  }

  /** The ticker's period from now on: what is taken with certainty cannot be shorter. */
  void period(long nanos) {
    period = nanos;
    parks.thin(Math.max(nanos, parks.thin()));
  }

  /** The kernel's counters, about once a second: keeps to the share of the budget. */
  void stats(long[] stats, long nowNanos) {
    long took = KernelStat.PARK_NS.of(stats) - programNanos;
    long elapsed = nowNanos - readNanos;
    lost = KernelStat.PARK_LOST.of(stats) + parks.failed() + hook.swallowed() - swallowedBefore;
    if (elapsed < 500_000_000L) {
      return; // read for another reason: too short to judge by
    }
    programNanos += took;
    readNanos = nowNanos;
    parks.thin(next(parks.thin(), period, took / (elapsed * budgetShare)));
  }

  /** The thinning to go on with. {@code used}: 1 is all that the budget allows. */
  static long next(long thin, long period, double used) {
    if (used > 1) {
      return (long) Math.min(1e12, thin * used / FALL_MARGIN);
    }
    return used < RISE_BELOW ? Math.max(period, (long) (thin / RISE_FACTOR)) : thin;
  }

  ParkStats stats() {
    return new ParkStats(true, recorder.totals(), parks.met(), lost, programNanos, parks.thin());
  }

  /** Before the programs are closed. */
  void close() {
    parks.close();
    hook.close();
  }
}
