package io.jebpf.agent.options;

/**
 * What the user asked for about stacks and their names.
 *
 * @param depth most frames in a stack
 * @param virtualThreads whether samples name the virtual thread that ran
 * @param carrier whether a virtual thread's stack goes on with its carrier's frames
 * @param hidden whether frames are shown that Java's own stack traces leave out
 * @param tiers whether names tell how a frame ran
 * @param own whether stacks of the agent's own threads are shown whole
 */
public record StackOptions(
    int depth,
    boolean virtualThreads,
    boolean carrier,
    boolean hidden,
    boolean tiers,
    boolean own) {

  /** As in the option table. */
  public static final StackOptions STANDARD =
      new StackOptions(1024, true, false, false, false, false);

  public StackOptions {
    if (depth <= 0) {
      throw new IllegalArgumentException("depth " + depth);
    }
  }

  /** With another depth. */
  public StackOptions depth(int frames) {
    return new StackOptions(frames, virtualThreads, carrier, hidden, tiers, own);
  }
}
