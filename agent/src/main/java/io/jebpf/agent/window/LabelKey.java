package io.jebpf.agent.window;

import java.util.Set;

/** Keys of the labels that the agent itself puts on samples, and the texts of those with few. */
public final class LabelKey {
  /** Full name of the thread; of a virtual thread's sample, its carrier's. */
  public static final String THREAD = "thread";

  /** The virtual thread that ran, or waited. */
  public static final String VTHREAD = "vthread";

  /** {@link #RUNNING}, {@link #RUNNABLE}, {@link #BLOCKED} or {@link #DISK}. */
  public static final String STATE = "state";

  /** What a wait was for. */
  public static final String WAIT = "wait";

  /** Who ended a wait. */
  public static final String WAKER = "waker";

  /** {@link #TRUE} when there was just nothing to do. */
  public static final String IDLE = "idle";

  /** 32 hexadecimal digits. An id: servers must not keep a series for each. */
  public static final String TRACE_ID = "trace_id";

  /** 16 hexadecimal digits. An id, as {@link #TRACE_ID}. */
  public static final String SPAN_ID = "span_id";

  /** Name of the first span of the trace in this process. */
  public static final String ROOT_SPAN = "root_span";

  /** Method and path of the request that is served, ids left out. */
  public static final String ENDPOINT = "endpoint";

  public static final String RUNNING = "running";
  public static final String RUNNABLE = "runnable";
  public static final String BLOCKED = "blocked";
  public static final String DISK = "disk";
  public static final String TRUE = "true";

  /** What Pyroscope takes for a span's id as well. */
  private static final String PROFILE_ID = "profile_id";

  private static final Set<String> OURS =
      Set.of(
          THREAD,
          VTHREAD,
          STATE,
          WAIT,
          WAKER,
          IDLE,
          TRACE_ID,
          SPAN_ID,
          PROFILE_ID,
          ROOT_SPAN,
          ENDPOINT);

  /** How the names of the agent's own threads begin. */
  public static final String OWN_THREADS = "jebpf-";

  private LabelKey() {}

  /** Whether the agent uses the key, so that an application cannot. */
  public static boolean isOurs(String key) {
    return OURS.contains(key);
  }
}
