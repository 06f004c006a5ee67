package io.jebpf.agent.pipeline;

import io.jebpf.agent.context.ContextCounters;
import io.jebpf.agent.engine.Counters;
import io.jebpf.agent.engine.Engine;
import io.jebpf.agent.history.Mark;
import io.jebpf.agent.offcpu.OffCpuStats;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.pprof.ProfileKind;
import io.jebpf.agent.pprof.QualityComments;
import io.jebpf.agent.window.Window;
import java.util.List;
import java.util.function.Supplier;

/** Writes the quality data of one window as comments of its profile. Pure. */
final class WindowReport {
  private final Options options;
  private final Engine.Facts facts;
  private final AgentIdentity identity;
  private final Supplier<ContextCounters> contexts;

  /** What lies between two marks; rates are those of the later one. */
  record Measured(Counters counters, OffCpuStats offCpu, Mark begin, Mark end) {
    static Measured between(Mark begin, Mark end) {
      return new Measured(
          end.counters().since(begin.counters()), end.offCpu().since(begin.offCpu()), begin, end);
    }

    long processNanos() {
      return end.processNanos() - begin.processNanos();
    }

    long sampledNanos() {
      return end.sampledNanos() - begin.sampledNanos();
    }
  }

  /** What a profile's own samples add up to. */
  record Shown(long samples, long cpuNanos, double scale) {}

  WindowReport(
      Options options,
      Engine.Facts facts,
      AgentIdentity identity,
      Supplier<ContextCounters> contexts) {
    this.contexts = contexts;
    this.options = options;
    this.facts = facts;
    this.identity = identity;
  }

  List<String> comments(ProfileKind kind, Window window, Measured measured) {
    return comments(kind, new Shown(window.taken(), window.weightNanos(), window.scale()), measured)
        .list();
  }

  QualityComments comments(ProfileKind kind, Shown shown, Measured measured) {
    QualityComments comments = new QualityComments();
    comments
        .fact(QualityComments.AGENT, identity.agent())
        .fact(QualityComments.SERVICE, options.service())
        .fact(QualityComments.PID, Long.toString(identity.pid()))
        .fact(QualityComments.KERNEL, facts.kernel())
        .fact(QualityComments.JVM, identity.jvm())
        .fact(QualityComments.ENGINE, facts.engine())
        .fact(QualityComments.MISSING, facts.missingText());
    switch (kind) {
      case CPU -> addCpu(comments, shown, measured);
      case OFFCPU -> OffCpuReport.add(comments, measured, options.budgetMillionths());
      case WALL -> {
        OffCpuReport.add(comments, measured, options.budgetMillionths());
        comments.sum(QualityComments.CPU_SAMPLED_NANOS, shown.cpuNanos());
      }
    }
    contexts
        .get()
        .byName()
        .forEach(
            (name, value) ->
                comments.fact(
                    QualityComments.CONTEXT_PREFIX + name, value == 0 ? "" : value.toString()));
    return comments
        .sum(QualityComments.PROGRAM_NANOS, measured.counters().programNanos())
        .sum(
            QualityComments.AGENT_CPU_NANOS,
            measured.end().agentNanos() - measured.begin().agentNanos());
  }

  private void addCpu(QualityComments comments, Shown shown, Measured measured) {
    Counters counters = measured.counters();
    Mark begin = measured.begin();
    Mark end = measured.end();
    comments
        .fact(QualityComments.RATE_HZ, Integer.toString(end.rateHz()))
        .fact(QualityComments.RATE_ASKED_HZ, Integer.toString(end.askedHz()));
    if (end.rateHz() < end.askedHz()) {
      comments.fact(
          QualityComments.BUDGET, "rate lowered to keep the programs within " + budgetText());
    }
    comments
        .sum(QualityComments.RATE_CHANGES, end.rateChanges() - begin.rateChanges())
        .sum(QualityComments.CLOCK_EVENTS, counters.events())
        .sum(QualityComments.SAMPLES_TAKEN, shown.samples())
        .sum(QualityComments.SAMPLES_LOST, counters.lost())
        .sumUnlessZero(QualityComments.LOST_PREFIX + "ring_full", counters.lostRingFull())
        .sumUnlessZero(QualityComments.LOST_PREFIX + "scratch", counters.lostScratch())
        .sumUnlessZero(QualityComments.LOST_PREFIX + "malformed", counters.lostMalformed())
        .sumUnlessZero(QualityComments.SAMPLES_OVERFLOWED, end.overflowed() - begin.overflowed());
    counters
        .walks()
        .each((name, count) -> comments.sumUnlessZero(QualityComments.WALKS_PREFIX + name, count));
    comments.sum(QualityComments.WALKS_WHOLE, counters.walks().whole());
    long samples = Math.max(1, counters.samples());
    long lostNanos = Math.max(0, counters.weightNanos() - measured.sampledNanos());
    comments
        .sumUnlessZero(QualityComments.KERNEL_STACKS_MISSING, counters.kernelStacksMissing())
        .sum(QualityComments.FRAMES, end.frames() - begin.frames())
        .sum(QualityComments.FRAMES_UNRESOLVED, end.framesUnresolved() - begin.framesUnresolved())
        .sum(QualityComments.CPU_EXACT_NANOS, measured.processNanos())
        .sum(QualityComments.CPU_SAMPLED_NANOS, shown.cpuNanos())
        .sum(QualityComments.CPU_LOST_NANOS, counters.lost() == 0 ? 0 : lostNanos)
        .fact(QualityComments.CPU_SCALE, fourDigits(shown.scale()))
        .fact(
            QualityComments.PROGRAM_NANOS_PER_SAMPLE,
            Long.toString(OffCpuReport.samplingNanos(measured) / samples))
        .fact(
            QualityComments.WALK_NANOS_PER_SAMPLE,
            Long.toString(counters.walkNanos() / Math.max(1, end.taken() - begin.taken())));
  }

  /** Without a formatter, which would load the JVM's locale data into each first window. */
  static String fourDigits(double value) {
    long parts = Math.round(Math.abs(value) * 10_000);
    String digits = Long.toString(10_000 + parts % 10_000).substring(1);
    return (value < 0 && parts > 0 ? "-" : "") + parts / 10_000 + "." + digits;
  }

  private String budgetText() {
    return options.budgetMillionths() / 10_000.0 + "% of one core";
  }
}
