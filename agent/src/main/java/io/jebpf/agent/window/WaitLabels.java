package io.jebpf.agent.window;

/**
 * The labels of waits in a profile; an empty text is a label that is not there.
 *
 * @param thread full name of the thread
 * @param state how it waits: {@link #BLOCKED}, {@code disk} or {@link #RUNNABLE}
 * @param reason what it waits for
 * @param waker who woke it
 * @param idle whether there was just nothing to do for it
 */
public record WaitLabels(String thread, String state, String reason, String waker, boolean idle) {
  public static final String RUNNING = "running";
  public static final String RUNNABLE = "runnable";
  public static final String BLOCKED = "blocked";
}
