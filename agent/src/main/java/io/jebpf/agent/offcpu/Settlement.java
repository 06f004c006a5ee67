package io.jebpf.agent.offcpu;

import io.jebpf.bpf.ThreadState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Makes waits that were met by chance agree with the exact clocks. Each such wait stands for some
 * that were not met, which is true on average only; how long its thread waited in all is known. So
 * they are kept until the clocks are read, and then what the thread's long waits, which are exact,
 * leave of its time is divided among them, by kind of time. What cannot be divided stays owed to
 * the thread; where it grows beyond what chance explains, it is shown as not sampled.
 *
 * <p>All threads that ended since the last reading are one: each alone had too few waits.
 *
 * <p>docs/adr/0005-waits-agree-with-clocks.md. Owner: thread "jebpf-reader".
 */
final class Settlement {
  /** Kinds of time, each with books of its own. */
  static final int BLOCKED = 0;

  static final int DISK = 1;
  static final int RUNNABLE = 2;
  static final int KINDS = 3;

  private static final int MET_MAX = 16_384;

  /** What the last reading of the clocks said of an account's thread. */
  private static final byte GONE = 0; // nothing: its last reading was the one before

  private static final byte UNSETTLED = 1; // it has waited, and the end has not arrived yet
  private static final byte SETTLED = 2;
  private static final byte QUIET = 3; // nobody asks for its sleep

  /** What is owed beyond the expected: standard deviations, and periods. */
  private static final double DEVIATIONS = 6;

  private static final int PERIODS = 12;

  /**
   * Readings in a row after which an end that has not arrived is no reason: where many are lost.
   */
  private static final int UNSETTLED_MAX = 2;

  /** By so much waits may be under-sampled in the long run, where ticks are late. */
  private static final double UNDER_SAMPLED = 2;

  /** Gets what {@link #settle} has worked out. */
  interface Sink {
    /**
     * @param asleep what the wait's time asleep counts
     * @param queued what its time on the run queue counts
     */
    void wait(MetWait wait, double asleep, double queued);

    /** Time of a thread that no wait stands for; tid 0: of threads that have ended. */
    void notSampled(int tid, long threadStart, String comm, int kind, double nanos);

    /** Time of quiet threads beyond the waits that were met. */
    void quiet(int kind, double nanos);
  }

  private final ThreadSlots accounts;
  private double[] owed = {};
  private double[] sampled = {};
  private byte[] states = {};
  private byte[] unsettled = {}; // readings in a row
  private String[] comms = {};
  private final double[] owedGone = new double[KINDS];
  private final double[] sampledGone = new double[KINDS];
  private final double[] factorsGone = new double[KINDS];
  private final List<MetWait> met = new ArrayList<>();
  private int metCount;

  Settlement(int threadsMax) {
    accounts = new ThreadSlots(threadsMax);
    reserve();
  }

  static int kind(ThreadState state) {
    return switch (state) {
      case RUNNABLE -> RUNNABLE;
      case DISK -> DISK;
      case BLOCKED, STOPPED, RUNNING, ENDED -> BLOCKED;
    };
  }

  boolean isFull() {
    return metCount == MET_MAX;
  }

  /** A wait that was met for certain has ended: its thread has so much less to explain. */
  void certain(int tid, long threadStart, ThreadState state, long start, long turn, long end) {
    int account = account(tid, threadStart);
    if (account != ThreadSlots.NONE) {
      owed[account * KINDS + kind(state)] -= turn - start;
      owed[account * KINDS + RUNNABLE] -= end - turn;
    }
  }

  /** A wait that was met by chance has ended: to be filled in. There must be room. */
  MetWait add(int tid, long threadStart) {
    if (metCount == met.size()) {
      met.add(new MetWait());
    }
    MetWait next = met.get(metCount++);
    next.account = account(tid, threadStart);
    return next;
  }

  /**
   * What the clocks say of a thread: time in waits that are over, since the last time.
   *
   * @param passed nanoseconds by kind
   * @param isSettled false: the end of one of them has not arrived yet
   */
  void read(ThreadClock clock, long[] passed, boolean isSettled) {
    int account = account(clock.tid, clock.threadStart);
    if (account != ThreadSlots.NONE) {
      for (int kind = 0; kind < KINDS; kind++) {
        owed[account * KINDS + kind] += passed[kind];
      }
      comms[account] = clock.comm;
      unsettled[account] =
          (byte) (isSettled ? 0 : Math.min(unsettled[account] + 1, UNSETTLED_MAX + 1));
      states[account] = state(clock, unsettled[account] == 0 || unsettled[account] > UNSETTLED_MAX);
    }
  }

  private static byte state(ThreadClock clock, boolean isSettled) {
    if (clock.quiet) {
      return QUIET;
    }
    return clock.ended ? GONE : isSettled ? SETTLED : UNSETTLED;
  }

  private int account(int tid, long threadStart) {
    int known = accounts.find(tid, threadStart);
    if (known != ThreadSlots.NONE) {
      return known;
    }
    int account = accounts.add(tid, threadStart);
    if (account != ThreadSlots.NONE) {
      reserve();
      Arrays.fill(owed, account * KINDS, (account + 1) * KINDS, 0);
      states[account] = GONE;
      unsettled[account] = 0;
    }
    return account;
  }

  /** Nothing is owed to this thread. */
  void forget(int tid, long threadStart) {
    int account = accounts.find(tid, threadStart);
    if (account != ThreadSlots.NONE) {
      Arrays.fill(owed, account * KINDS, (account + 1) * KINDS, 0);
    }
  }

  /** After all clocks were read: gives out every wait that was added. */
  void settle(long periodNanos, Sink sink) {
    for (int i = 0; i < metCount; i++) {
      MetWait wait = met.get(i);
      if (wait.account != ThreadSlots.NONE) {
        int base = wait.account * KINDS;
        sampled[base + kind(wait.state)] += wait.weight * (wait.turn - wait.from);
        sampled[base + RUNNABLE] += wait.weight * (wait.end - wait.turn);
      }
    }
    putGoneTogether();
    for (int kind = 0; kind < KINDS; kind++) {
      factorsGone[kind] = factor(owedGone[kind], sampledGone[kind], periodNanos);
    }
    for (int i = 0; i < metCount; i++) {
      give(met.get(i), periodNanos, sink);
    }
    metCount = 0;
    closeGone(periodNanos, sink);
    for (int account = 0; account < accounts.slots(); account++) {
      if (accounts.isUsed(account)) {
        close(account, periodNanos, sink);
      }
    }
  }

  private void putGoneTogether() {
    for (int account = 0; account < accounts.slots(); account++) {
      if (accounts.isUsed(account) && states[account] == GONE) {
        for (int kind = 0; kind < KINDS; kind++) {
          owedGone[kind] += owed[account * KINDS + kind];
          sampledGone[kind] += sampled[account * KINDS + kind];
        }
      }
    }
  }

  private void give(MetWait wait, long period, Sink sink) {
    int kind = kind(wait.state);
    double asleep = factor(wait.account, kind, period);
    double queued = kind == RUNNABLE ? asleep : factor(wait.account, RUNNABLE, period);
    sink.wait(wait, wait.weight * asleep, wait.weight * queued);
    wait.clear();
  }

  private double factor(int account, int kind, long period) {
    if (account == ThreadSlots.NONE) {
      return 1;
    }
    int at = account * KINDS + kind;
    return switch (states[account]) {
      case GONE -> factorsGone[kind];
      case SETTLED -> factor(owed[at], sampled[at], period);
      case QUIET -> Math.min(1, factor(owed[at], sampled[at], period)); // its sleep is owed too
      default -> 1;
    };
  }

  /** How much of what is owed the waits that were met can stand for. */
  private static double factor(double owed, double sampled, long period) {
    return sampled <= 0 ? 1 : Math.max(0, Math.min(owed, most(sampled, period))) / sampled;
  }

  /** Of so much time met, more than this is not explained by chance: ticks or stacks were lost. */
  private static double most(double sampled, long period) {
    return UNDER_SAMPLED * sampled
        + DEVIATIONS * Math.sqrt(sampled * period)
        + (double) PERIODS * period;
  }

  private void closeGone(long period, Sink sink) {
    for (int kind = 0; kind < KINDS; kind++) {
      double rest = rest(owedGone[kind], sampledGone[kind], period);
      owedGone[kind] -= sampledGone[kind] * factorsGone[kind] + rest;
      sampledGone[kind] = 0;
      if (rest > 0) {
        sink.notSampled(0, 0, "", kind, rest);
      }
    }
  }

  private void close(int account, long period, Sink sink) {
    if (states[account] == GONE) {
      Arrays.fill(sampled, account * KINDS, (account + 1) * KINDS, 0);
      accounts.remove(account);
      return;
    }
    for (int kind = 0; kind < KINDS; kind++) {
      int at = account * KINDS + kind;
      double met = sampled[at] * factor(account, kind, period);
      double rest =
          switch (states[account]) {
            case SETTLED -> rest(owed[at], sampled[at], period);
            case QUIET -> Math.max(0, owed[at] - met);
            default -> 0;
          };
      owed[at] -= met + rest;
      sampled[at] = 0;
      if (states[account] == QUIET) {
        sink.quiet(kind, rest);
      } else if (rest > 0) {
        sink.notSampled(
            accounts.tid(account), accounts.threadStart(account), comms[account], kind, rest);
      }
    }
    states[account] = GONE; // unless the next reading finds it
  }

  /** What is owed beyond what chance explains. */
  private static double rest(double owed, double sampled, long period) {
    return Math.max(0, owed - most(sampled, period));
  }

  /**
   * Gives out every wait that was added as it is, and forgets what is owed: for a while nobody
   * looked for waits.
   */
  void giveAsMet(Sink sink) {
    for (int i = 0; i < metCount; i++) {
      MetWait wait = met.get(i);
      sink.wait(wait, wait.weight, wait.weight);
      wait.clear();
    }
    metCount = 0;
    Arrays.fill(owed, 0);
    Arrays.fill(owedGone, 0);
  }

  private void reserve() {
    int capacity = accounts.capacity();
    if (capacity * KINDS != owed.length) {
      owed = Arrays.copyOf(owed, capacity * KINDS);
      sampled = Arrays.copyOf(sampled, capacity * KINDS);
      states = Arrays.copyOf(states, capacity);
      unsettled = Arrays.copyOf(unsettled, capacity);
      comms = Arrays.copyOf(comms, capacity);
    }
  }
}
