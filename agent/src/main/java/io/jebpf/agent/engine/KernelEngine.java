package io.jebpf.agent.engine;

import io.jebpf.agent.context.ContextCounters;
import io.jebpf.agent.context.ContextLabels;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.window.Window;
import io.jebpf.bpf.Alarm;
import io.jebpf.bpf.KernelException;
import io.jebpf.bpf.KernelPrograms;
import io.jebpf.bpf.KernelStat;
import io.jebpf.bpf.NativeRuntime;
import io.jebpf.bpf.SampleRing;
import io.jebpf.bpf.WalkCounts;
import io.jebpf.symbolizer.Symbolizer;
import java.util.Optional;
import java.util.OptionalLong;

/** The engine over the real kernel. Made by {@link KernelEngineStarter}. */
final class KernelEngine implements Engine {
  /** Records moved before other work gets its turn. */
  private static final int RECORDS_MAX = 4096;

  private static final long CPU_LOOK_NANOS = 3_000_000_000L;

  /**
   * By then the JVM has compiled what our start made it compile, and has freed the compiler's
   * memory.
   */
  private static final long TRIM_AFTER_NANOS = 5_000_000_000L;

  private final NativeRuntime runtime;
  private final KernelPrograms programs;
  private final Alarm alarm;
  private final int tgid;
  private final Symbolizer symbolizer;
  private final SampleFeeder feeder;
  private final MappingPublisher publisher;
  private final ContextLabels labels;
  private final Facts facts;
  private final OutOfMemoryCount outOfMemory;
  private final AgentLog log;
  private final long startNanos = System.nanoTime();
  private boolean trimmed;
  private final Optional<KernelOffCpu> offCpu;
  private final Runnable undo;
  private long cpusLookedNanos;
  private Counters last = Counters.ZERO;
  private boolean closed;

  KernelEngine(
      NativeRuntime runtime,
      KernelPrograms programs,
      Alarm alarm,
      int tgid,
      Symbolizer symbolizer,
      SampleFeeder feeder,
      MappingPublisher publisher,
      ContextLabels labels,
      Facts facts,
      OutOfMemoryCount outOfMemory,
      Optional<KernelOffCpu> offCpu,
      Runnable undo,
      AgentLog log) {
    this.runtime = runtime;
    this.programs = programs;
    this.alarm = alarm;
    this.tgid = tgid;
    this.symbolizer = symbolizer;
    this.feeder = feeder;
    this.publisher = publisher;
    this.labels = labels;
    this.facts = facts;
    this.outOfMemory = outOfMemory;
    this.offCpu = offCpu;
    this.undo = undo;
    this.log = log;
  }

  @Override
  public void drain(Window window) {
    feeder.feed(window);
    SampleRing ring = programs.ring();
    int moved = ring.poll(feeder, RECORDS_MAX);
    while (moved == RECORDS_MAX && !window.isNearlyFull()) {
      moved = ring.poll(feeder, RECORDS_MAX);
    }
  }

  @Override
  public void rate(int hz) throws EngineException {
    try {
      programs.target(hz == 0 ? 0 : tgid);
      programs.cpuSampler().rate(hz);
    } catch (KernelException e) {
      throw new EngineException(Trouble.PERF_EVENTS, e.getMessage(), e.advice(), e);
    }
  }

  @Override
  public void maintain(long nowNanos) {
    publisher.maintain(nowNanos, feeder.takeUnknownCodeSeen());
    trimOnce(nowNanos);
    labels.maintain(nowNanos);
    if (offCpu.isPresent()) {
      offCpu.get().maintain(nowNanos);
    }
    if (nowNanos - cpusLookedNanos > CPU_LOOK_NANOS) {
      cpusLookedNanos = nowNanos;
      programs.cpuSampler().refresh();
      String failure = programs.cpuSampler().lastFailure();
      if (!failure.isEmpty()) {
        log.warn(Trouble.PERF_EVENTS, failure);
      }
    }
  }

  /**
   * Once: gives back the memory that the JVM's compilers used for our start and that the C library
   * keeps, 9 MB when measured on an otherwise idle JVM.
   */
  private void trimOnce(long nowNanos) {
    if (!trimmed && nowNanos - startNanos > TRIM_AFTER_NANOS) {
      trimmed = true;
      runtime.trimNativeHeap();
      if (log.isDebug()) {
        log.debug("native heap trimmed in " + (System.nanoTime() - nowNanos) / 1_000 + " us");
      }
    }
  }

  @Override
  public void beginWindow() {
    symbolizer.beginWindow();
    labels.beginWindow();
    offCpu.ifPresent(KernelOffCpu::beginWindow);
  }

  @Override
  public ContextCounters contexts() {
    return labels.counters();
  }

  @Override
  public Counters counters() {
    try {
      long[] stats = programs.stats();
      offCpu.ifPresent(side -> side.stats(stats));
      last =
          new Counters(
              KernelStat.EVENTS.of(stats),
              KernelStat.SAMPLES.of(stats),
              KernelStat.RING_FULL.of(stats),
              KernelStat.SCRATCH.of(stats),
              programs.ring().malformedRecords(),
              KernelStat.KERNEL_STACK.of(stats),
              KernelStat.PROGRAM_NS.of(stats) + KernelStat.SWITCH_NS.of(stats),
              feeder.walkNanos(),
              KernelStat.WEIGHT_NS.of(stats),
              WalkCounts.ofSamples(stats),
              WalkCounts.ofWaits(stats));
    } catch (KernelException e) {
      log.warn(Trouble.KERNEL_REFUSED, e.getMessage(), e.advice()); // and the last figures stand
    }
    return last;
  }

  @Override
  public OffCpuEngine offCpu() {
    return offCpu.isPresent() ? offCpu.get() : OffCpuEngine.NONE;
  }

  @Override
  public long backlogBytes() {
    return programs.ring().backlogBytes();
  }

  @Override
  public long bufferBytes() {
    return programs.ring().capacityBytes();
  }

  @Override
  public void await(long nanos) {
    long due = publisher.dueInNanos(System.nanoTime()); // past: we are paused, and do not look
    alarm.await(
        due > 0 ? Math.min(nanos, due) : nanos,
        publisher.isCurious() ? Alarm.Until.UNKNOWN : Alarm.Until.FULL);
  }

  @Override
  public void wake() {
    alarm.ring();
  }

  @Override
  public void slice(long nanos) {
    if (!runtime.slice(nanos) && log.isDebug()) {
      log.debug("a slice of " + nanos / 1_000 + " us was refused");
    }
  }

  @Override
  public OptionalLong outOfMemoryErrors() {
    return outOfMemory.get();
  }

  @Override
  public Facts facts() {
    return facts;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      offCpu.ifPresent(KernelOffCpu::close);
      alarm.close();
      programs.close();
      undo.run();
      // Loading took some 10 MB for a moment; the next start is on another thread, with another of
      // the C library's up to 8 heaps a CPU, and each would keep as much for ever.
      runtime.trimNativeHeap();
    }
  }
}
