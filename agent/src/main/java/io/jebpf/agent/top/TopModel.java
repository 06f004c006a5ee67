package io.jebpf.agent.top;

import io.jebpf.agent.pprof.ProfileData;
import io.jebpf.agent.pprof.ProfileData.Frame;
import io.jebpf.agent.pprof.ProfileData.Sample;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One second of a JVM in numbers: what its methods and threads did. Immutable.
 *
 * @param nanos length of that second
 * @param methods those with most CPU time of their own first
 * @param threads those with most CPU time first, then those that waited longest
 */
record TopModel(long nanos, List<Method> methods, List<Activity> threads) {
  private static final String THREAD = "thread";
  private static final String STATE = "state";
  private static final String WAIT = "wait";
  private static final String RUNNABLE = "runnable";

  /**
   * @param selfNanos CPU time at the leaf
   * @param totalNanos CPU time anywhere in a stack
   */
  record Method(String name, long selfNanos, long totalNanos) {}

  /**
   * A thread.
   *
   * @param waitsFor what it waited for longest, empty when it did not
   * @param where the innermost frame of that wait that is not the JDK's or the kernel's
   */
  record Activity(
      String thread, long running, long runnable, long blocked, String waitsFor, String where) {
    long busy() {
      return running + runnable + blocked;
    }
  }

  TopModel {
    methods = List.copyOf(methods);
    threads = List.copyOf(threads);
  }

  /** Adds up two profiles of the same second. */
  static TopModel of(ProfileData cpu, ProfileData waits, long nanos) {
    Map<String, Counting> threads = new HashMap<>();
    Map<String, long[]> methods = new HashMap<>();
    int cpuValue = cpu.valueIndex("cpu");
    for (Sample sample : cpu.samples()) {
      long value = sample.values()[cpuValue];
      thread(threads, sample).running += value;
      Set<String> seen = new HashSet<>();
      for (int i = 0; i < sample.frames().size(); i++) {
        String name = sample.frames().get(i).function();
        long[] both = methods.computeIfAbsent(name, n -> new long[2]);
        both[0] += i == 0 ? value : 0;
        both[1] += seen.add(name) ? value : 0;
      }
    }
    addWaits(waits, threads);
    List<Method> listed = new ArrayList<>();
    methods.forEach((name, both) -> listed.add(new Method(name, both[0], both[1])));
    listed.sort(
        Comparator.comparingLong(Method::selfNanos)
            .thenComparing(Method::totalNanos)
            .reversed()
            .thenComparing(Method::name));
    List<Activity> active = new ArrayList<>();
    threads.forEach((name, counting) -> active.add(counting.activity(name)));
    active.sort(
        Comparator.comparingLong(Activity::running)
            .thenComparing(Activity::busy)
            .reversed()
            .thenComparing(Activity::thread));
    return new TopModel(nanos, listed, active);
  }

  private static void addWaits(ProfileData waits, Map<String, Counting> threads) {
    int value = waits.valueIndex("offcpu");
    int queue = waits.valueIndex("runqueue");
    for (Sample sample : waits.samples()) {
      Counting thread = thread(threads, sample);
      long runnable =
          RUNNABLE.equals(sample.labels().get(STATE))
              ? sample.values()[value]
              : Math.min(sample.values()[value], sample.values()[queue]);
      long blocked = sample.values()[value] - runnable;
      thread.runnable += runnable;
      thread.blocked += blocked;
      if (blocked > thread.longest) {
        thread.longest = blocked;
        thread.wait = sample.labels().getOrDefault(WAIT, "");
        thread.where = where(sample.frames());
      }
    }
  }

  private static Counting thread(Map<String, Counting> threads, Sample sample) {
    return threads.computeIfAbsent(
        sample.labels().getOrDefault(THREAD, "?"), name -> new Counting());
  }

  /** Where in the application a thread is: what the JDK does for it says less. */
  private static String where(List<Frame> leafFirst) {
    for (Frame frame : leafFirst) {
      if (frame.mapping().startsWith("[jvm")
          && !frame.function().matches("(java|jdk|javax|sun)\\..*")) {
        return frame.function();
      }
    }
    return leafFirst.isEmpty() ? "" : leafFirst.get(0).function();
  }

  private static final class Counting {
    private long running;
    private long runnable;
    private long blocked;
    private long longest;
    private String wait = "";
    private String where = "";

    Activity activity(String thread) {
      return new Activity(thread, running, runnable, blocked, wait, where);
    }
  }
}
