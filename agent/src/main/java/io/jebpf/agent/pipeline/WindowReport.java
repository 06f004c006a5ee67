package io.jebpf.agent.pipeline;

import io.jebpf.agent.engine.Counters;
import io.jebpf.agent.engine.Engine;
import io.jebpf.agent.offcpu.OffCpuStats;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.pprof.ProfileKind;
import io.jebpf.agent.pprof.QualityComments;
import io.jebpf.agent.window.Window;
import io.jebpf.bpf.WalkEnd;
import java.util.List;
import java.util.Locale;

/** Writes the quality data of one window as comments of its profile. Pure. */
final class WindowReport {
  private final Options options;
  private final Engine.Facts facts;
  private final AgentIdentity identity;

  /** What was measured beside the window itself, between its start and its end. */
  record Measured(
      Counters counters,
      OffCpuStats offCpu,
      long processNanos,
      long agentNanos,
      int rateHz,
      int askedHz,
      long tickNanos,
      long askedTickNanos,
      long rateChanges) {}

  WindowReport(Options options, Engine.Facts facts, AgentIdentity identity) {
    this.options = options;
    this.facts = facts;
    this.identity = identity;
  }

  List<String> comments(ProfileKind kind, Window window, Measured measured) {
    QualityComments comments = new QualityComments();
    comments
        .fact(QualityComments.AGENT, identity.agent())
        .fact(QualityComments.SERVICE, options.service())
        .fact(QualityComments.PID, Long.toString(identity.pid()))
        .fact(QualityComments.KERNEL, facts.kernel())
        .fact(QualityComments.JVM, identity.jvm())
        .fact(QualityComments.ENGINE, facts.engine())
        .fact(QualityComments.MISSING, String.join("; ", facts.missing()));
    switch (kind) {
      case CPU -> addCpu(comments, window, measured);
      case OFFCPU -> OffCpuReport.add(comments, window, measured);
      case WALL -> {
        OffCpuReport.add(comments, window, measured);
        comments.sum(QualityComments.CPU_SAMPLED_NANOS, window.weightNanos());
      }
    }
    return comments
        .sum(QualityComments.PROGRAM_NANOS, measured.counters().programNanos())
        .sum(QualityComments.AGENT_CPU_NANOS, measured.agentNanos())
        .list();
  }

  private void addCpu(QualityComments comments, Window window, Measured measured) {
    Counters counters = measured.counters();
    comments
        .fact(QualityComments.RATE_HZ, Integer.toString(measured.rateHz()))
        .fact(QualityComments.RATE_ASKED_HZ, Integer.toString(measured.askedHz()));
    if (measured.rateHz() < measured.askedHz()) {
      comments.fact(
          QualityComments.BUDGET, "rate lowered to keep the programs within " + budgetText());
    }
    comments
        .sum(QualityComments.RATE_CHANGES, measured.rateChanges())
        .sum(QualityComments.CLOCK_EVENTS, counters.events())
        .sum(QualityComments.SAMPLES_TAKEN, window.taken())
        .sum(QualityComments.SAMPLES_LOST, counters.lost())
        .sumUnlessZero(QualityComments.LOST_PREFIX + "ring_full", counters.lostRingFull())
        .sumUnlessZero(QualityComments.LOST_PREFIX + "scratch", counters.lostScratch())
        .sumUnlessZero(QualityComments.LOST_PREFIX + "malformed", counters.lostMalformed())
        .sumUnlessZero(QualityComments.SAMPLES_OVERFLOWED, window.overflowed());
    for (WalkEnd end : WalkEnd.values()) {
      comments.sumUnlessZero(
          QualityComments.WALKS_PREFIX + Counters.slug(end), counters.walks(end));
    }
    long samples = Math.max(1, counters.samples());
    long lostNanos = Math.max(0, counters.weightNanos() - window.weightNanos());
    comments
        .sumUnlessZero(QualityComments.KERNEL_STACKS_MISSING, counters.kernelStacksMissing())
        .sum(QualityComments.FRAMES, window.framesSeen())
        .sum(QualityComments.FRAMES_UNRESOLVED, window.framesUnresolved())
        .sum(QualityComments.CPU_EXACT_NANOS, measured.processNanos())
        .sum(QualityComments.CPU_SAMPLED_NANOS, window.weightNanos())
        .sum(QualityComments.CPU_LOST_NANOS, counters.lost() == 0 ? 0 : lostNanos)
        .fact(QualityComments.CPU_SCALE, String.format(Locale.ROOT, "%.4f", window.scale()))
        .fact(
            QualityComments.PROGRAM_NANOS_PER_SAMPLE,
            Long.toString(OffCpuReport.samplingNanos(measured) / samples))
        .fact(
            QualityComments.WALK_NANOS_PER_SAMPLE,
            Long.toString(counters.walkNanos() / Math.max(1, window.taken())));
  }

  private String budgetText() {
    return options.budgetMillionths() / 10_000.0 + "% of one core";
  }
}
