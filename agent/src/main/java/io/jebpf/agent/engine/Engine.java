package io.jebpf.agent.engine;

import io.jebpf.agent.context.ContextCounters;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * Where samples come from: the kernel side and the naming of frames behind one interface, so that
 * the pipeline can be tested without a kernel. Owner: thread "jebpf-reader", which starts, drives
 * and closes it.
 */
public interface Engine extends AutoCloseable {
  /** Slice of threads of ours that make room for others: several times the kernel's own. */
  long COURTEOUS_NANOS = 20_000_000L;

  /** Moves what was collected into a window; never blocks. */
  void drain(Window window);

  /** Samples per second and CPU; 0 takes none and costs nothing. */
  void rate(int hz) throws EngineException;

  /** Looks for new code and new CPUs; cheap when nothing changed. */
  void maintain(long nowNanos);

  /** A new window begins: names that may have changed are to be read again. */
  void beginWindow();

  Counters counters();

  /** The part that accounts for waits. */
  default OffCpuEngine offCpu() {
    return OffCpuEngine.NONE;
  }

  /** The part that knows what threads work for. */
  default ContextCounters contexts() {
    return ContextCounters.ZERO;
  }

  /** Bytes of the buffer between kernel and reader that are in use. */
  long backlogBytes();

  /** Bytes that it has room for; the same at any time. */
  long bufferBytes();

  /**
   * How long the calling thread, any of ours, may keep a CPU before others get their turn: with
   * more than they have it makes room at once for what wakes there. 0: as the kernel has it.
   */
  default void slice(long nanos) {}

  /** Waits for so long, or until {@link #wake}; one that came before counts. */
  void await(long nanos);

  /** Ends the owner's present wait, or its next one. Any thread's, also after {@link #close}. */
  void wake();

  Facts facts();

  /** OutOfMemoryErrors that the JVM has thrown so far; empty when it does not say. */
  default OptionalLong outOfMemoryErrors() {
    return OptionalLong.empty();
  }

  @Override
  void close();

  /**
   * What is the same for the life of an engine.
   *
   * @param kernel release of the kernel
   * @param engine how samples are taken, for people
   * @param missing what this run has to do without; empty when nothing
   * @param mainBinary the program file of the process
   * @param debugNonSafepoints state of the JVM's flag, for people
   */
  record Facts(
      String kernel,
      String engine,
      List<Lack> missing,
      Mapping mainBinary,
      String debugNonSafepoints) {
    public Facts {
      missing = List.copyOf(missing);
    }

    /** The same for people. */
    public String missingText() {
      return missing.stream().map(Lack::toString).collect(Collectors.joining("; "));
    }
  }
}
