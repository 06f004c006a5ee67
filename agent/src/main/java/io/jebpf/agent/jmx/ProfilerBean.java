package io.jebpf.agent.jmx;

import io.jebpf.agent.engine.Lack;
import io.jebpf.agent.offcpu.ClockTotals;
import io.jebpf.agent.offcpu.OffCpuCounters;
import io.jebpf.agent.offcpu.OffCpuStats;
import io.jebpf.agent.ondemand.OnDemand;
import io.jebpf.agent.options.OffCpuOptions;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.pipeline.Snapshot;
import io.jebpf.agent.pipeline.WindowWriter;
import io.jebpf.bpf.WalkCounts;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Answers the MBean's questions from the figures that the agent's threads publish. Thread-safe. */
public final class ProfilerBean extends OnDemandBean implements ProfilerMXBean {
  private static final double LOSS_THRESHOLD = 0.01;

  private final Source source;
  private volatile double lossThreshold = LOSS_THRESHOLD;

  /** Where the answers come from; thread-safe. */
  public interface Source {
    String state();

    String version();

    Options options();

    Snapshot snapshot();

    int askedHz();

    /** Throws IllegalStateException when nothing is sampled here at all. */
    void askHz(int hz);

    long askedTickNanos();

    /** Throws IllegalStateException when waits are not accounted for here. */
    void askTick(long nanos);

    WindowWriter writer();

    /** Figures of what is sent to servers, by name; empty when nothing is. */
    Map<String, Long> uploads();

    String debugNonSafepoints();

    /** What this run has to do without. */
    List<Lack> missing();

    long dumpsWritten();

    /** Asked for by triggers, and not written. */
    long dumpsSkipped();

    /** Empty when there is no endpoint. */
    String httpAddress();

    /** Empty while nothing is sampled. */
    Optional<OnDemand> onDemand();
  }

  public ProfilerBean(Source source) {
    this.source = source;
  }

  Source source() {
    return source;
  }

  @Override
  Optional<OnDemand> onDemand() {
    return source.onDemand();
  }

  @Override
  public Map<Lack.Ability, String> getMissing() {
    Map<Lack.Ability, String> missing = new EnumMap<>(Lack.Ability.class);
    source.missing().forEach(lack -> missing.put(lack.ability(), lack.why()));
    return missing;
  }

  @Override
  public long getDumpsWritten() {
    return source.dumpsWritten();
  }

  @Override
  public long getDumpsSkipped() {
    return source.dumpsSkipped();
  }

  @Override
  public String getHttpAddress() {
    return source.httpAddress();
  }

  @Override
  public double getLossThreshold() {
    return lossThreshold;
  }

  @Override
  public void setLossThreshold(double share) {
    if (!(share >= 0 && share <= 1)) {
      throw new IllegalArgumentException(
          "LossThreshold " + share + " is not valid; valid are 0 to 1");
    }
    lossThreshold = share;
  }

  @Override
  public String getState() {
    return source.state();
  }

  @Override
  public String getVersion() {
    return source.version();
  }

  @Override
  public String getOptions() {
    return source.options().describe();
  }

  @Override
  public int getCpuHz() {
    return source.askedHz();
  }

  @Override
  public void setCpuHz(int hz) {
    if (hz < 0 || hz > Options.CPU_HZ_MAX) {
      throw new IllegalArgumentException(
          "CpuHz " + hz + " is not valid; valid are 0 to " + Options.CPU_HZ_MAX);
    }
    source.askHz(hz);
  }

  @Override
  public int getCpuHzNow() {
    return source.snapshot().rateHz();
  }

  @Override
  public long getRateChanges() {
    return source.snapshot().rateChanges();
  }

  @Override
  public long getSamplesTaken() {
    return source.snapshot().taken();
  }

  @Override
  public Map<String, Long> getSamplesLost() {
    Snapshot now = source.snapshot();
    Map<String, Long> lost = new LinkedHashMap<>();
    lost.put("ring_full", now.counters().lostRingFull());
    lost.put("scratch", now.counters().lostScratch());
    lost.put("malformed", now.counters().lostMalformed());
    lost.put("out_of_memory", now.discarded());
    return lost;
  }

  @Override
  public long getAgentMemoryErrors() {
    return source.snapshot().memoryErrors() + source.writer().memoryErrors();
  }

  @Override
  public long getSamplesWithoutStack() {
    return source.snapshot().overflowed();
  }

  @Override
  public Map<String, Long> getWalksByEnd() {
    return byName(source.snapshot().counters().walks());
  }

  @Override
  public Map<String, Long> getWaitWalksByEnd() {
    return byName(source.snapshot().counters().waitWalks());
  }

  private static Map<String, Long> byName(WalkCounts counts) {
    Map<String, Long> walks = new LinkedHashMap<>();
    walks.put("whole", counts.whole());
    counts.each(walks::put);
    return walks;
  }

  @Override
  public long getKernelStacksMissing() {
    return source.snapshot().counters().kernelStacksMissing();
  }

  @Override
  public long getFrames() {
    return source.snapshot().frames();
  }

  @Override
  public long getFramesUnresolved() {
    return source.snapshot().framesUnresolved();
  }

  @Override
  public long getSampledNanos() {
    return source.snapshot().counters().weightNanos();
  }

  @Override
  public long getKernelNanos() {
    return source.snapshot().counters().programNanos();
  }

  @Override
  public long getAgentCpuNanos() {
    return source.snapshot().readerCpuNanos() + source.writer().cpuNanos();
  }

  @Override
  public long getFilesWritten() {
    return source.writer().filesWritten();
  }

  @Override
  public long getBytesWritten() {
    return source.writer().bytesWritten();
  }

  @Override
  public long getFilesRotated() {
    return source.writer().filesRotated();
  }

  @Override
  public long getSpanSamplesMerged() {
    return source.writer().spanSamplesMerged();
  }

  @Override
  public long getFilesFailed() {
    return source.writer().filesFailed();
  }

  @Override
  public Map<String, Long> getUploads() {
    return source.uploads();
  }

  @Override
  public long getWindowsExtended() {
    return source.snapshot().windowsExtended();
  }

  @Override
  public double getOffCpuTickMillis() {
    return source.askedTickNanos() / 1e6;
  }

  @Override
  public void setOffCpuTickMillis(double millis) {
    long nanos = Math.round(millis * 1e6);
    if (Double.isNaN(millis) || !OffCpuOptions.isTick(nanos)) {
      throw new IllegalArgumentException(
          "OffCpuTickMillis "
              + millis
              + " is not valid; valid are 0, and "
              + OffCpuOptions.TICK_NANOS_MIN / 1e6
              + " to "
              + OffCpuOptions.TICK_NANOS_MAX / 1e6);
    }
    source.askTick(nanos);
  }

  @Override
  public double getOffCpuTickMillisNow() {
    return source.snapshot().tickNanos() / 1e6;
  }

  @Override
  public long getWaitsMet() {
    return source.snapshot().offCpu().counters().met();
  }

  @Override
  public long getWaitsOpen() {
    return source.snapshot().offCpu().counters().open();
  }

  @Override
  public long getWaitsLost() {
    OffCpuStats stats = source.snapshot().offCpu();
    return stats.counters().dropped() + stats.listFull() + stats.endsLost();
  }

  @Override
  public long getContextSwitches() {
    return source.snapshot().offCpu().counters().switches();
  }

  @Override
  public Map<String, Long> getExactNanos() {
    ClockTotals exact = source.snapshot().offCpu().counters().exact();
    Map<String, Long> nanos = new LinkedHashMap<>();
    nanos.put("running", exact.running());
    nanos.put("runnable", exact.runnable());
    nanos.put("blocked", exact.blocked());
    nanos.put("disk", exact.disk());
    return nanos;
  }

  @Override
  public Map<String, Long> getEstimatedNanos() {
    OffCpuCounters counters = source.snapshot().offCpu().counters();
    Map<String, Long> nanos = new LinkedHashMap<>();
    nanos.put("runnable", counters.estimated().runnable());
    nanos.put("blocked", counters.estimated().blocked());
    nanos.put("disk", counters.estimated().disk());
    nanos.put("idle", counters.idleNanos());
    nanos.put("notSampled", counters.notSampledNanos());
    return nanos;
  }

  @Override
  public String getDebugNonSafepoints() {
    return source.debugNonSafepoints();
  }
}
