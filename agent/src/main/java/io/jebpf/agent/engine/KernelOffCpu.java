package io.jebpf.agent.engine;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.offcpu.OffCpuStats;
import io.jebpf.agent.offcpu.OpenWaitSink;
import io.jebpf.agent.offcpu.ParkStats;
import io.jebpf.agent.offcpu.WaitRecorder;
import io.jebpf.agent.window.Window;
import io.jebpf.bpf.KernelStat;
import io.jebpf.bpf.OffCpu;
import java.util.Optional;

/**
 * The off-CPU side over the real kernel. Owns thread "jebpf-ticker", which spends its life in one
 * native call. Owner: thread "jebpf-reader".
 */
final class KernelOffCpu implements OffCpuEngine {
  private static final long STOP_MILLIS = 3_000;

  private final OffCpu offCpu;
  private final WaitFeeder feeder;
  private final WaitRecorder recorder;
  private final AgentLog log;
  private Optional<KernelParks> parks = Optional.empty();
  private Optional<Thread> ticker = Optional.empty();
  private long[] stats = {};

  KernelOffCpu(OffCpu offCpu, WaitFeeder feeder, AgentLog log) {
    this.offCpu = offCpu;
    this.feeder = feeder;
    this.recorder = feeder.recorder();
    this.log = log;
  }

  /** Looks at parks of virtual threads too. */
  void parks(KernelParks side) {
    parks = Optional.of(side);
  }

  @Override
  public boolean isPresent() {
    return true;
  }

  @Override
  public void start(long nowNanos) {
    recorder.start(nowNanos);
  }

  @Override
  public void period(long nanos) {
    if (nanos == 0) {
      stopTicker();
      return;
    }
    recorder.period(nanos);
    offCpu.period(nanos);
    parks.ifPresent(side -> side.period(nanos));
    if (ticker.isEmpty()) {
      offCpu.rearm();
      Thread thread = new Thread(null, () -> offCpu.runTicker(nanos), "jebpf-ticker", 0, false);
      thread.setDaemon(true);
      thread.setContextClassLoader(KernelOffCpu.class.getClassLoader());
      thread.setUncaughtExceptionHandler(
          (dead, cause) -> log.error(Trouble.OFF_CPU, "the ticker failed: " + cause));
      thread.start();
      ticker = Optional.of(thread);
    }
  }

  private void stopTicker() {
    if (ticker.isEmpty()) {
      return;
    }
    recorder.period(0);
    offCpu.stop();
    try {
      ticker.get().join(STOP_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (ticker.get().isAlive()) {
      log.warn(Trouble.OFF_CPU, "the ticker did not stop within " + STOP_MILLIS + " ms");
    }
    ticker = Optional.empty();
  }

  @Override
  public void endWindow(Window window, long nowNanos, long startNanos) {
    recorder.into(window);
    recorder.endWindow(nowNanos, startNanos);
  }

  @Override
  public void showOpen(Window window, long nowNanos, long startNanos, OpenWaitSink sink) {
    recorder.into(window);
    recorder.showOpen(nowNanos, startNanos, sink);
  }

  void beginWindow() {
    recorder.beginWindow();
    parks.ifPresent(KernelParks::beginWindow);
  }

  void maintain(long nowNanos) {
    recorder.maintain(nowNanos);
  }

  /** The kernel's counters, as the engine has just read them. */
  void stats(long[] fresh) {
    stats = fresh;
    parks.ifPresent(side -> side.stats(fresh, System.nanoTime()));
  }

  @Override
  public OffCpuStats stats() {
    return new OffCpuStats(
        recorder.counters(),
        offCpu.ticks(),
        offCpu.quietTicks(),
        offCpu.lateTicks(),
        offCpu.failedTicks(),
        of(KernelStat.TICK_NS),
        of(KernelStat.SWITCH_NS),
        of(KernelStat.MOVED_FULL),
        of(KernelStat.CLOCKS_FULL),
        of(KernelStat.WAIT_END_LOST),
        of(KernelStat.SWITCH_MISSED),
        feeder.walkNanos(),
        parks.isPresent() ? parks.get().stats() : ParkStats.ZERO);
  }

  private long of(KernelStat stat) {
    return stats.length == 0 ? 0 : stat.of(stats);
  }

  /** Before the programs are closed: the ticker must not run them any more. */
  void close() {
    stopTicker();
    parks.ifPresent(KernelParks::close);
  }
}
