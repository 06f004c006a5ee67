package io.jebpf.agent.pipeline;

import io.jebpf.agent.offcpu.OffCpuStats;
import java.util.function.LongSupplier;

/**
 * CPU time of the process since the start, all its threads, in nanoseconds. The kernel's own figure
 * is asked for where it matters: to give it, /proc goes by all threads, 2.5 ms for 10,000. While
 * next to nothing runs the exact clocks say it, without a system call and without steps of 10 ms.
 * Owner: thread "jebpf-reader".
 */
final class ProcessCpu {
  /** Below this in a window the samples are not fitted to it: see {@link CpuScale}. */
  private static final long QUIET_NANOS = CpuScale.EXACT_NANOS_MIN / 2;

  private static final long UNREAD = -1;

  private final LongSupplier kernels;
  private long kernelNanos = UNREAD;
  private long clockNanos;
  private long total;

  /**
   * @param kernels the kernel's figure
   */
  ProcessCpu(LongSupplier kernels) {
    this.kernels = kernels;
  }

  /**
   * The figure now.
   *
   * @param hasClocks whether there are exact clocks at all
   * @param stats their figures, which have just been read
   */
  long nanos(boolean hasClocks, OffCpuStats stats) {
    long running = stats.counters().exact().running();
    long ran = running - clockNanos;
    clockNanos = running;
    boolean isComplete = hasClocks && stats.clocksFull() == 0;
    if (isComplete && ran < QUIET_NANOS) {
      kernelNanos = UNREAD;
      total += ran;
      return total;
    }
    long before = kernelNanos;
    kernelNanos = kernels.getAsLong();
    total += before == UNREAD ? Math.max(ran, 0) : kernelNanos - before;
    return total;
  }
}
