package io.jebpf.agent.offcpu;

/** Is shown waits that go on. */
public interface OpenWaitSink {
  /**
   * The stretch of one wait that is in no window yet: asleep to {@code turn}, then waiting for a
   * CPU. It stands for itself alone.
   *
   * @param node of its stack in the window, or Window.OVERFLOW
   * @param labels number of its labels in the window
   * @param counted whether no stretch of it was counted before
   */
  void wait(int node, int labels, long from, long turn, long now, boolean counted);
}
