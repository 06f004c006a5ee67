package io.jebpf.agent.engine;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.offcpu.ThreadClock;
import io.jebpf.agent.offcpu.ThreadClockSource;
import io.jebpf.bpf.ClockView;
import io.jebpf.bpf.KernelException;
import io.jebpf.bpf.OffCpu;
import io.jebpf.bpf.ThreadClocks;
import io.jebpf.bpf.ThreadState;

/** The kernel's exact clocks. Owner: thread "jebpf-reader". */
final class KernelClocks implements ThreadClockSource {
  private static final ThreadState[] STATES = ThreadState.values();

  private final OffCpu offCpu;
  private final ThreadClocks clocks;
  private final AgentLog log;
  private final ClockView view = new ClockView();

  KernelClocks(OffCpu offCpu, AgentLog log) {
    this.offCpu = offCpu;
    this.clocks = offCpu.clocks();
    this.log = log;
  }

  @Override
  public void begin() {
    try {
      offCpu.findWoken();
    } catch (KernelException e) {
      log.warn(Trouble.OFF_CPU, e.getMessage(), e.advice()); // those woken count as asleep
    }
  }

  @Override
  public int slots() {
    return clocks.slots();
  }

  @Override
  public boolean read(int slot, long nowNanos, ThreadClock into) {
    if (!clocks.read(slot, nowNanos, view)) {
      return false;
    }
    into.thread(view.tid(), view.kernelTid(), view.threadStartNanos(), view.comm(), view.isQuiet());
    into.state(view.state(), view.sinceNanos(), view.turnNanos(), view.switches());
    for (int i = 0; i < STATES.length; i++) {
      into.nanos(STATES[i], view.nanos(STATES[i]), view.passedNanos(STATES[i]));
    }
    return true;
  }

  @Override
  public void quiet(int slot) {
    clocks.quiet(slot);
  }

  @Override
  public void release(int slot) {
    try {
      clocks.release(slot);
    } catch (KernelException e) {
      log.warn(Trouble.OFF_CPU, e.getMessage(), e.advice()); // the slot is lost to new threads
    }
  }
}
