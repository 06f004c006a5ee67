package io.jebpf.agent.http;

import io.jebpf.agent.engine.Counters;
import io.jebpf.agent.engine.Lack.Ability;
import io.jebpf.agent.jmx.ProfilerBean;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.offcpu.OffCpuStats;
import io.jebpf.agent.ondemand.OnDemand;
import io.jebpf.agent.pipeline.Snapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The profiler's own figures in the text format of Prometheus 0.0.4. Other parts may add theirs.
 * Thread-safe.
 */
public final class Metrics {
  private final ProfilerBean.Source source;
  private final AgentLog log;
  private final List<Part> parts = new ArrayList<>();

  /** Figures of another part of the agent. */
  public interface Part {
    void addTo(MetricsText text);
  }

  public Metrics(ProfilerBean.Source source, AgentLog log) {
    this.source = source;
    this.log = log;
  }

  public synchronized Metrics add(Part part) {
    parts.add(part);
    return this;
  }

  synchronized String text() {
    MetricsText text = new MetricsText();
    Snapshot now = source.snapshot();
    text.gauge("jebpf_up", "Whether the profiler samples", up() ? 1 : 0);
    text.family("jebpf_missing", "gauge", "What this run has to do without");
    for (Ability ability : Ability.values()) {
      boolean lacks = source.missing().stream().anyMatch(lack -> lack.ability() == ability);
      text.value("ability", ability.name().toLowerCase(Locale.ROOT), lacks ? 1 : 0);
    }
    text.counter(
        "jebpf_agent_memory_errors_total",
        "OutOfMemoryErrors in the agent's own threads",
        now.memoryErrors() + source.writer().memoryErrors());
    addSamples(text, now);
    addWaits(text, now.offCpu());
    addCost(text, now);
    addFiles(text);
    source.onDemand().ifPresent(onDemand -> addKept(text, onDemand));
    text.family("jebpf_troubles_total", "counter", "Troubles as in the log, shown or withheld");
    for (Trouble trouble : Trouble.values()) {
      long count = log.count(trouble);
      if (count > 0) {
        text.value("trouble", trouble.name().toLowerCase(Locale.ROOT), count);
      }
    }
    text.counter("jebpf_dumps_total", "Dumps that triggers have written", source.dumpsWritten());
    text.counter("jebpf_dumps_skipped_total", "Dumps that were not written", source.dumpsSkipped());
    text.family("jebpf_uploads", "gauge", "What became of the profiles for servers, and the spool");
    source.uploads().forEach((figure, value) -> text.value("figure", figure, value));
    parts.forEach(part -> part.addTo(text));
    return text.toString();
  }

  private boolean up() {
    return source.state().equals("RUNNING");
  }

  private void addSamples(MetricsText text, Snapshot now) {
    Counters counters = now.counters();
    text.counter("jebpf_samples_total", "Samples of running threads that arrived", now.taken());
    text.family("jebpf_samples_lost_total", "counter", "Samples that were lost, by reason");
    text.value("reason", "ring_full", counters.lostRingFull());
    text.value("reason", "scratch", counters.lostScratch());
    text.value("reason", "malformed", counters.lostMalformed());
    text.value("reason", "out_of_memory", now.discarded());
    text.counter(
        "jebpf_samples_without_stack_total",
        "Samples that lost their stack because a window was full",
        now.overflowed());
    text.family(
        "jebpf_stacks_total", "counter", "Walked stacks by the reason they ended, gaps besides");
    counters.walks().each((name, count) -> text.value("end", name, count));
    text.counter("jebpf_stacks_whole_total", "Whole stacks", counters.walks().whole());
    text.counter("jebpf_frames_total", "Frames of code in all samples", now.frames());
    text.counter("jebpf_frames_unresolved_total", "Frames without a name", now.framesUnresolved());
    text.seconds(
        "jebpf_cpu_sampled_seconds_total",
        "CPU time that all samples stand for, lost ones included",
        counters.weightNanos());
    text.gauge("jebpf_cpu_rate_hertz", "Samples per second and CPU", now.rateHz());
    text.gauge("jebpf_cpu_rate_asked_hertz", "Samples asked for", source.askedHz());
  }

  private static void addWaits(MetricsText text, OffCpuStats stats) {
    text.counter("jebpf_waits_met_total", "Waits whose stack was taken", stats.counters().met());
    text.counter(
        "jebpf_waits_lost_total",
        "Waits or ends of waits that were lost",
        stats.counters().dropped() + stats.listFull() + stats.endsLost());
    text.gauge("jebpf_waits_open", "Waits that go on", stats.counters().open());
    text.gauge("jebpf_threads", "Threads at the last window's end", stats.counters().threads());
    text.counter(
        "jebpf_context_switches_total",
        "Times a thread left its CPU, as of the last window's end",
        stats.counters().switches());
    text.family("jebpf_thread_seconds_total", "counter", "Exact time of all threads by state");
    text.value("state", "running", stats.counters().exact().running() / 1e9);
    text.value("state", "runnable", stats.counters().exact().runnable() / 1e9);
    text.value("state", "blocked", stats.counters().exact().blocked() / 1e9);
    text.value("state", "disk", stats.counters().exact().disk() / 1e9);
  }

  private void addCost(MetricsText text, Snapshot now) {
    Counters counters = now.counters();
    OffCpuStats waits = now.offCpu();
    text.family("jebpf_kernel_seconds_total", "counter", "CPU time of the kernel programs by task");
    long samples = counters.programNanos() - waits.tickNanos() - waits.switchNanos();
    text.value("task", "samples", samples / 1e9);
    text.value("task", "waits", waits.tickNanos() / 1e9);
    text.value("task", "switches", waits.switchNanos() / 1e9);
    text.gauge(
        "jebpf_kernel_seconds_per_sample",
        "Time of the kernel program for one sample, on the average since the start",
        samples / 1e9 / Math.max(1, counters.samples()));
    text.seconds(
        "jebpf_agent_cpu_seconds_total",
        "CPU time of the agent's reader and writer",
        now.readerCpuNanos() + source.writer().cpuNanos());
    text.counter("jebpf_profiles_total", "Profiles built", source.writer().profiles());
    text.seconds(
        "jebpf_profile_cpu_seconds_total",
        "CPU time of encoding, compressing and writing them",
        source.writer().profileNanos());
  }

  private void addFiles(MetricsText text) {
    text.counter("jebpf_files_written_total", "Profiles written", source.writer().filesWritten());
    text.counter("jebpf_file_bytes_total", "Bytes of them", source.writer().bytesWritten());
    text.counter(
        "jebpf_files_rotated_total", "Profiles removed for others", source.writer().filesRotated());
    text.counter(
        "jebpf_files_failed_total",
        "Profiles that could not be written",
        source.writer().filesFailed());
    text.counter(
        "jebpf_span_samples_merged_total",
        "Samples of waits that went into others, because too many had ids of spans",
        source.writer().spanSamplesMerged());
  }

  private static void addKept(MetricsText text, OnDemand onDemand) {
    long now = System.nanoTime();
    text.gauge("jebpf_history_bytes", "Memory of the kept past", onDemand.history().bytes());
    text.gauge(
        "jebpf_history_seconds",
        "How far back it reaches",
        (now - onDemand.history().oldestNanos(now)) / 1e9);
    text.counter(
        "jebpf_history_dropped_total",
        "Windows that had to go before their time",
        onDemand.history().driven());
    text.gauge("jebpf_recordings", "Recordings", onDemand.recordings().list().size());
    text.gauge(
        "jebpf_recordings_bytes",
        "Memory of recordings, shared with each other and the kept past",
        onDemand.recordings().bytes());
  }
}
