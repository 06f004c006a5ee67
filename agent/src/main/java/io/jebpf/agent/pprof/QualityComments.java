package io.jebpf.agent.pprof;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The comments of a profile that say how good it is: {@code key=value}, one comment each. Keys are
 * part of what users may rely on; docs/troubleshooting.md lists them.
 */
public final class QualityComments {
  /** Facts: the same in every window, or not to be added up. */
  public static final String AGENT = "agent";

  public static final String SERVICE = "service";
  public static final String PID = "pid";
  public static final String KERNEL = "kernel";
  public static final String JVM = "jvm";
  public static final String ENGINE = "engine";
  public static final String MISSING = "missing";
  public static final String RATE_HZ = "rate_hz";
  public static final String RATE_ASKED_HZ = "rate_asked_hz";
  public static final String BUDGET = "budget";
  public static final String PROGRAM_NANOS_PER_SAMPLE = "program_ns_per_sample";
  public static final String WALK_NANOS_PER_SAMPLE = "walk_ns_per_sample";

  /** Figures of the contexts, since the start. */
  public static final String CONTEXT_PREFIX = "context_";

  /** Samples of waits below that time were put together, because too many had ids of spans. */
  public static final String SPAN_EXACT_NANOS = "span_exact_ns";

  public static final String TICK_NANOS = "tick_ns";
  public static final String TICK_ASKED_NANOS = "tick_asked_ns";
  public static final String THREADS = "threads";
  public static final String WAITS_OPEN = "waits_open";

  /** Sums: may be added up over windows. */
  public static final String SPAN_SAMPLES_MERGED = "span_samples_merged";

  public static final String CLOCK_EVENTS = "clock_events";

  public static final String SAMPLES_TAKEN = "samples_taken";

  public static final String SAMPLES_LOST = "samples_lost";
  public static final String SAMPLES_OVERFLOWED = "samples_without_stack";
  public static final String FRAMES = "frames";
  public static final String FRAMES_UNRESOLVED = "frames_unresolved";
  public static final String CPU_SAMPLED_NANOS = "cpu_sampled_ns";
  public static final String CPU_LOST_NANOS = "cpu_lost_ns";
  public static final String CPU_EXACT_NANOS = "cpu_exact_ns";
  public static final String CPU_SCALE = "cpu_scale";
  public static final String PROGRAM_NANOS = "program_ns";
  public static final String AGENT_CPU_NANOS = "agent_cpu_ns";
  public static final String KERNEL_STACKS_MISSING = "kernel_stacks_missing";
  public static final String RATE_CHANGES = "rate_changes";

  public static final String SWITCHES = "context_switches";
  public static final String SWITCHES_MISSED = "context_switches_missed";
  public static final String KERNEL_PATHS_WRONG = "kernel_paths_wrong";
  public static final String TICKS = "ticks";
  public static final String TICKS_QUIET = "ticks_quiet";
  public static final String TICKS_LATE = "ticks_late";
  public static final String TICKS_FAILED = "ticks_failed";
  public static final String WAITS_MET = "waits_met";
  public static final String WAITS = "waits";
  public static final String WAITS_LOST = "waits_lost";
  public static final String WAITS_ENDS_LOST = "waits_ends_lost";
  public static final String WAITS_OVERFLOWED = "waits_without_stack";
  public static final String CLOCKS_MISSING = "clocks_missing";
  public static final String RUNNING_EXACT_NANOS = "running_exact_ns";
  public static final String RUNNABLE_EXACT_NANOS = "runnable_exact_ns";
  public static final String BLOCKED_EXACT_NANOS = "blocked_exact_ns";
  public static final String DISK_EXACT_NANOS = "disk_exact_ns";
  public static final String RUNNABLE_ESTIMATED_NANOS = "runnable_estimated_ns";
  public static final String BLOCKED_ESTIMATED_NANOS = "blocked_estimated_ns";
  public static final String DISK_ESTIMATED_NANOS = "disk_estimated_ns";
  public static final String IDLE_NANOS = "idle_ns";
  public static final String NOT_SAMPLED_NANOS = "not_sampled_ns";
  public static final String TICK_PROGRAM_NANOS = "tick_program_ns";
  public static final String SWITCH_PROGRAM_NANOS = "switch_program_ns";

  /** Of a profile on demand: its own stretch of time, and the one that its counts are of. */
  public static final String INTERVAL = "interval";

  public static final String QUALITY_INTERVAL = "quality_interval";
  public static final String INTERVAL_CUT = "interval_cut";
  public static final String EVENTS_UNTIMED = "events_untimed";

  /** Parks of virtual threads. */
  public static final String PARK_THIN_NANOS = "vthread_thin_ns";

  public static final String PARKS_TAKEN = "vthread_parks_taken";
  public static final String PARKS_MET = "vthread_parks_met";
  public static final String PARKS = "vthread_parks";
  public static final String PARKS_LOST = "vthread_parks_lost";
  public static final String PARKS_CUT = "vthread_stacks_cut";
  public static final String PARKS_UNDIVIDED = "vthread_parks_undivided";
  public static final String PARKED_NANOS = "vthread_parked_ns";
  public static final String QUEUED_NANOS = "vthread_runnable_ns";
  public static final String PARKED_IDLE_NANOS = "vthread_idle_ns";
  public static final String PARK_PROGRAM_NANOS = "vthread_program_ns";

  /** Prefix of counts by reason, followed by the reason. */
  public static final String LOST_PREFIX = "samples_lost_";

  public static final String WALKS_PREFIX = "walks_";
  public static final String WALKS_WHOLE = WALKS_PREFIX + "whole";
  public static final String WAIT_WALKS_PREFIX = "wait_walks_";
  public static final String WAIT_WALKS_WHOLE = WAIT_WALKS_PREFIX + "whole";

  private static final Set<String> SUMS =
      Set.of(
          SPAN_SAMPLES_MERGED,
          CLOCK_EVENTS,
          SAMPLES_TAKEN,
          SAMPLES_LOST,
          SAMPLES_OVERFLOWED,
          FRAMES,
          FRAMES_UNRESOLVED,
          CPU_SAMPLED_NANOS,
          CPU_LOST_NANOS,
          CPU_EXACT_NANOS,
          PROGRAM_NANOS,
          AGENT_CPU_NANOS,
          KERNEL_STACKS_MISSING,
          RATE_CHANGES,
          SWITCHES,
          SWITCHES_MISSED,
          KERNEL_PATHS_WRONG,
          TICKS,
          TICKS_QUIET,
          TICKS_LATE,
          TICKS_FAILED,
          WAITS_MET,
          WAITS,
          WAITS_LOST,
          WAITS_ENDS_LOST,
          WAITS_OVERFLOWED,
          CLOCKS_MISSING,
          RUNNING_EXACT_NANOS,
          RUNNABLE_EXACT_NANOS,
          BLOCKED_EXACT_NANOS,
          DISK_EXACT_NANOS,
          RUNNABLE_ESTIMATED_NANOS,
          BLOCKED_ESTIMATED_NANOS,
          DISK_ESTIMATED_NANOS,
          IDLE_NANOS,
          TICK_PROGRAM_NANOS,
          SWITCH_PROGRAM_NANOS,
          PARKS_TAKEN,
          PARKS_MET,
          PARKS,
          PARKS_LOST,
          PARKS_CUT,
          PARKS_UNDIVIDED,
          PARKED_NANOS,
          QUEUED_NANOS,
          PARKED_IDLE_NANOS,
          PARK_PROGRAM_NANOS);

  private static final List<String> ESTIMATES =
      List.of(
          WAITS,
          RUNNABLE_ESTIMATED_NANOS,
          BLOCKED_ESTIMATED_NANOS,
          DISK_ESTIMATED_NANOS,
          IDLE_NANOS);

  private final List<String> comments = new ArrayList<>();

  /** Whether values of a key may be added up over profiles. */
  static boolean isSum(String key) {
    return SUMS.contains(key)
        || key.startsWith(LOST_PREFIX)
        || key.startsWith(WALKS_PREFIX)
        || key.startsWith(WAIT_WALKS_PREFIX);
  }

  public QualityComments fact(String key, String value) {
    if (!value.isEmpty()) {
      comments.add(key + "=" + value.replace('\n', ' '));
    }
    return this;
  }

  public QualityComments sum(String key, long value) {
    comments.add(key + "=" + value);
    return this;
  }

  /** Left out when it is 0: for the many reasons that do not occur. */
  public QualityComments sumUnlessZero(String key, long value) {
    return value == 0 ? this : sum(key, value);
  }

  /** Takes away what is known at the end of a window only: waits that go on are not in it yet. */
  public QualityComments withoutEstimates() {
    for (String key : ESTIMATES) {
      comments.removeIf(comment -> comment.startsWith(key + "="));
    }
    return this;
  }

  public List<String> list() {
    return List.copyOf(comments);
  }
}
