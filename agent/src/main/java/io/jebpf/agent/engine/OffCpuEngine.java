package io.jebpf.agent.engine;

import io.jebpf.agent.offcpu.OffCpuStats;
import io.jebpf.agent.offcpu.OpenWaitSink;
import io.jebpf.agent.window.Window;

/** The part of an engine that accounts for waits. Owner: thread "jebpf-reader". */
public interface OffCpuEngine {
  /** What an engine has that cannot, or need not, look at waits. */
  OffCpuEngine NONE =
      new OffCpuEngine() {
        @Override
        public boolean isPresent() {
          return false;
        }

        @Override
        public void start(long nowNanos) {}

        @Override
        public void period(long nanos) {
          throw new IllegalStateException("no off-CPU side to change");
        }

        @Override
        public void endWindow(Window window, long nowNanos, long startNanos) {}

        @Override
        public OffCpuStats stats() {
          return OffCpuStats.ZERO;
        }
      };

  /** False: nothing of it is loaded. */
  boolean isPresent();

  /** Accounting begins: what was before is in no window. */
  void start(long nowNanos);

  /** The ticker's period from now on; 0 takes no stacks, the clocks go on. */
  void period(long nanos);

  /**
   * Puts waits that go on into the window, which ends, and reads the exact clocks.
   *
   * @param nowNanos the window's end, before the last {@link Engine#drain} into it
   */
  void endWindow(Window window, long nowNanos, long startNanos);

  /**
   * Shows waits that go on with what is in no window of theirs, reads the exact clocks, and changes
   * nothing but the numbers of stacks and labels in the window.
   */
  default void showOpen(Window window, long nowNanos, long startNanos, OpenWaitSink sink) {}

  /** Figures since the start: the counters of waits now, the clocks as of the last window's end. */
  OffCpuStats stats();
}
