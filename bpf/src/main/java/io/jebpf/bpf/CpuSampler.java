package io.jebpf.bpf;

import java.io.IOException;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;

/**
 * One software clock event per online CPU, each of which runs {@code on_cpu} at the set rate while
 * it is enabled. At rate 0 the events stay open and disabled, which costs nothing. Thread-safe;
 * closed with its {@link KernelPrograms} or before.
 */
public final class CpuSampler implements AutoCloseable {
  /** The kernel's shortest period of this clock is 10 µs (perf_swevent_start_hrtimer). */
  public static final int HZ_MAX = 100_000;

  private static final long SECOND_NANOS = 1_000_000_000L;

  private final KernelCalls calls;
  private final int programFd;
  private final Target target;
  private final OnlineCpus online;

  /** fd of the event, by CPU. */
  private final TreeMap<Integer, Integer> events = new TreeMap<>();

  private int hz;
  private String lastFailure = "";
  private boolean closed;

  CpuSampler(KernelCalls calls, int programFd, Target target, OnlineCpus online) {
    this.calls = calls;
    this.programFd = programFd;
    this.target = target;
    this.online = online;
  }

  /**
   * Sets the samples per second and CPU, from now on; 0 pauses. Opens events where there are none
   * yet.
   *
   * @throws KernelException no CPU could be covered, or an event could not be changed; sampling is
   *     then off
   */
  public synchronized void rate(int hz) throws KernelException {
    if (hz < 0 || hz > HZ_MAX) {
      throw new IllegalArgumentException("rate " + hz + " Hz is not between 0 and " + HZ_MAX);
    }
    requireOpen();
    this.hz = 0;
    try {
      for (Map.Entry<Integer, Integer> entry : events.entrySet()) {
        check(calls.perfEnable(entry.getValue(), false), "PERF_EVENT_IOC_DISABLE", entry.getKey());
      }
      if (hz > 0) {
        start(hz);
      }
    } catch (KernelException e) {
      closeEvents();
      throw e;
    }
  }

  private void start(int hz) throws KernelException {
    long period = SECOND_NANOS / hz;
    target.periodNanos(period); // all events are off: no sample gets the weight of the other rate
    for (Map.Entry<Integer, Integer> entry : events.entrySet()) {
      check(calls.perfPeriod(entry.getValue(), period), "PERF_EVENT_IOC_PERIOD", entry.getKey());
      check(calls.perfEnable(entry.getValue(), true), "PERF_EVENT_IOC_ENABLE", entry.getKey());
    }
    this.hz = hz;
    KernelException failure = cover();
    if (events.isEmpty()) {
      this.hz = 0;
      throw failure;
    }
  }

  /**
   * Looks for CPUs that came or went: opens and closes events. Meant to be called every few
   * seconds.
   *
   * @return CPUs covered now; fewer than are online when {@link #lastFailure} says why
   */
  public synchronized int refresh() {
    if (closed || hz == 0) {
      return events.size();
    }
    closeStopped();
    cover();
    return events.size();
  }

  /** CPUs covered. */
  public synchronized int cpus() {
    return events.size();
  }

  /** Samples per second and CPU; 0 when paused. */
  public synchronized int rate() {
    return hz;
  }

  /** Why the last look left a CPU without an event; empty when it left none. */
  public synchronized String lastFailure() {
    return lastFailure;
  }

  /**
   * Closes events whose clock stands still: their CPU was offline since the last look, and an event
   * does not survive that even when the CPU is back. A live one counts the nanoseconds between the
   * two reads.
   */
  private void closeStopped() {
    Iterator<Integer> fds = events.values().iterator();
    while (fds.hasNext()) {
      int fd = fds.next();
      long count = calls.perfCount(fd);
      if (count < 0 || calls.perfCount(fd) <= count) {
        calls.close(fd);
        fds.remove();
      }
    }
  }

  /**
   * Makes the events fit the online CPUs. Returns the last failure; only to be used when none is
   * covered.
   */
  private KernelException cover() {
    lastFailure = "";
    int[] cpus;
    try {
      cpus = online.read();
    } catch (IOException e) {
      lastFailure = "the list of online CPUs could not be read: " + e + ". Mount /sys";
      return new KernelException(lastFailure, 0, "");
    }
    KernelException failure = new KernelException("no CPU is online", 0, "");
    TreeMap<Integer, Integer> gone = new TreeMap<>(events);
    for (int cpu : cpus) {
      gone.remove(cpu);
      if (!events.containsKey(cpu)) {
        try {
          events.put(cpu, open(cpu));
        } catch (KernelException e) {
          failure = e;
          lastFailure =
              e.errno() == Errno.ENODEV ? lastFailure : e.getMessage(); // went offline just now
        }
      }
    }
    for (Map.Entry<Integer, Integer> entry : gone.entrySet()) {
      calls.close(entry.getValue());
      events.remove(entry.getKey());
    }
    return failure;
  }

  private int open(int cpu) throws KernelException {
    int fd = calls.perfOpen(cpu, SECOND_NANOS / hz);
    if (fd < 0) {
      throw new KernelException("perf_event_open(cpu=" + cpu + ")", -fd, Advice.forPerf(-fd));
    }
    try {
      check(calls.perfAttach(fd, programFd), "PERF_EVENT_IOC_SET_BPF", cpu);
      check(calls.perfEnable(fd, true), "PERF_EVENT_IOC_ENABLE", cpu);
      return fd;
    } catch (KernelException e) {
      calls.close(fd);
      throw e;
    }
  }

  private static void check(int result, String what, int cpu) throws KernelException {
    if (result < 0) {
      throw new KernelException(
          "ioctl(" + what + ", cpu=" + cpu + ")", -result, Advice.forPerf(-result));
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the CPU sampler is closed");
    }
  }

  private void closeEvents() {
    for (int fd : events.values()) {
      calls.close(fd);
    }
    events.clear();
  }

  @Override
  public synchronized void close() {
    closed = true;
    hz = 0;
    closeEvents();
  }
}
