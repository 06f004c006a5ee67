package io.jebpf.agent.window;

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

  public static final String RUNNING = "running";
  public static final String RUNNABLE = "runnable";
  public static final String BLOCKED = "blocked";
  public static final String DISK = "disk";
  public static final String TRUE = "true";

  private LabelKey() {}
}
