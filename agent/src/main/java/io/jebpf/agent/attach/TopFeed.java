package io.jebpf.agent.attach;

import io.jebpf.agent.history.Filter;
import io.jebpf.agent.ondemand.Format;
import io.jebpf.agent.ondemand.OnDemandException;
import io.jebpf.agent.ondemand.Profiles;
import io.jebpf.agent.ondemand.Query;
import io.jebpf.agent.pprof.ProfileKind;

/**
 * Sends the last second of the JVM to command {@code top}, second by second: two profiles, and a
 * line that says that they are there. Ends when the command has not been seen for some seconds,
 * when sampling ends, or when it is told to. The work of thread "jebpf-top".
 *
 * <pre>
 *  second   NUMBER LENGTH_IN_NANOS, or {@link #OVER}
 *  cpu      pprof of that second, gzipped
 *  offcpu   the same, when waits are accounted for
 * </pre>
 */
public final class TopFeed {
  /** Last content of file {@code second}. */
  public static final String OVER = "over";

  public static final String SECOND = "second";
  public static final String CPU = "cpu";
  public static final String OFFCPU = "offcpu";

  private static final long PERIOD_NANOS = 1_000_000_000L;

  /** Longer than a machine under load keeps the command from running. */
  private static final long UNSEEN_MILLIS = 10_000;

  private final AttachReply reply;
  private final Profiles profiles;
  private final boolean waits;
  private volatile boolean stopping;

  /**
   * @param waits whether there are waits to be sent
   */
  public TopFeed(AttachReply reply, Profiles profiles, boolean waits) {
    this.reply = reply;
    this.profiles = profiles;
    this.waits = waits;
  }

  /** Returns within about a second of {@link #stop}. */
  public void run() throws InterruptedException {
    long from = System.nanoTime();
    for (int number = 1; !stopping && reply.isAwaited(UNSEEN_MILLIS); number++) {
      long left = from + PERIOD_NANOS - System.nanoTime();
      if (left > 0) {
        Thread.sleep(left / 1_000_000, (int) (left % 1_000_000));
      }
      long to = System.nanoTime();
      try {
        reply.put(CPU, profile(ProfileKind.CPU, from, to));
        if (waits) {
          reply.put(OFFCPU, profile(ProfileKind.OFFCPU, from, to));
        }
        reply.put(SECOND, number + " " + (to - from));
      } catch (OnDemandException e) {
        break; // sampling has ended, or is so far behind that nobody would look
      }
      from = to;
    }
    reply.put(SECOND, OVER);
  }

  public void stop() {
    stopping = true;
  }

  private byte[] profile(ProfileKind kind, long from, long to) throws OnDemandException {
    return profiles.answer(new Query(kind, Format.PPROF, from, to, Filter.NONE)).bytes();
  }
}
