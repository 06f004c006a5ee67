package io.jebpf.agent.engine;

import io.jebpf.agent.context.ContextLabels;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.offcpu.ParkRecorder;
import io.jebpf.agent.offcpu.WaitRecorder;
import io.jebpf.agent.options.StackOptions;
import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.LastStack;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import io.jebpf.agent.window.Window.FrameClass;
import io.jebpf.bpf.ParkView;
import io.jebpf.bpf.SampleHandler;
import io.jebpf.bpf.SampleView;
import io.jebpf.bpf.WaitEndView;
import io.jebpf.bpf.WalkEnd;
import io.jebpf.symbolizer.Frame;
import io.jebpf.symbolizer.FrameKind;
import io.jebpf.symbolizer.IdentityCache;
import io.jebpf.symbolizer.RawFrame;
import io.jebpf.symbolizer.Symbolizer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Puts samples into a window: frames from the root to the leaf, user code first, then the kernel's.
 * Names are asked for at the first sight of a frame in a window; a known frame costs one look-up.
 * Owner: thread "jebpf-reader".
 */
final class SampleFeeder implements SampleHandler, WaitRecorder.Naming {
  /** Heads of kernel frames; kind 0 is no user frame, so they are told apart by it. */
  static final long KERNEL_EXACT = RawFrame.head(0, RawFrame.EXACT, 0);

  static final long KERNEL_RETURN = RawFrame.head(0, 0, 0);

  private static final String UNNAMED = "[unknown: error in the profiler]";

  private static final long PAGE = 4096;

  private static final int VIRTUAL_NAMES_MAX = 4096;

  /** A power of two. Each takes 60 KB when stacks have 2,048 frames. */
  private static final int LAST_STACKS = 32;

  private final AgentLog log;

  /** Label of a thread of which neither the JVM nor the kernel had a name. */
  private static final String NAMELESS_THREAD = "[no name]";

  private final Symbolizer symbolizer;
  private final ModuleMappings mappings;
  private final ContextLabels contexts;
  private Optional<WaitFeeder> waits = Optional.empty();
  private Optional<KernelParks> parks = Optional.empty();
  private final StackOptions asked;

  /** By id; for samples in which the collector is in the way of the name. */
  private final IdentityCache<String> virtualNames = new IdentityCache<>(VIRTUAL_NAMES_MAX);

  /** By the end of the thread's number. */
  private final LastStack[] lastStacks = new LastStack[LAST_STACKS];

  private long[] words = new long[512];
  private Window window;
  private long walkNanos;
  private boolean unknownCodeSeen;

  SampleFeeder(
      Symbolizer symbolizer,
      ModuleMappings mappings,
      ContextLabels contexts,
      Window first,
      StackOptions asked,
      AgentLog log) {
    this.contexts = contexts;
    this.log = log;
    this.asked = asked;
    this.symbolizer = symbolizer;
    this.mappings = mappings;
    this.window = first;
    Arrays.setAll(lastStacks, i -> new LastStack());
  }

  void feed(Window into) {
    window = into;
    if (waits.isPresent()) {
      waits.get().recorder().into(into);
    }
    if (parks.isPresent()) {
      parks.get().into(into);
    }
  }

  /** Where records of waits go; without, they are dropped. */
  void waits(WaitFeeder feeder) {
    waits = Optional.of(feeder);
  }

  /** Where parks of virtual threads go; without, they are dropped. */
  void parks(KernelParks side) {
    parks = Optional.of(side);
  }

  /** Time that the walks of all samples so far took. */
  long walkNanos() {
    return walkNanos;
  }

  /** Whether a walk ended in code that is in no known mapping, since the last call. */
  boolean takeUnknownCodeSeen() {
    boolean seen = unknownCodeSeen;
    unknownCodeSeen = false;
    return seen;
  }

  @Override
  public void onSample(SampleView sample) {
    unknownCodeSeen |= sample.end() == WalkEnd.NO_MAPPING.index();
    if (sample.isWait()) {
      if (waits.isPresent()) {
        waits.get().wait(sample);
      }
      return;
    }
    if (sample.isWaker()) {
      if (waits.isPresent()) {
        waits.get().waker(sample);
      }
      return;
    }
    Window into = window;
    Labels labels = labels(sample);
    boolean cut = cutsOwn() && labels.get(LabelKey.THREAD).startsWith(LabelKey.OWN_THREADS);
    int node = stack(sample, into, cut);
    into.add(node, into.labels(labels), sample.weightNanos(), sample.timeNanos());
    walkNanos += sample.walkNanos();
  }

  /**
   * The leaf of a sample's stack.
   *
   * @param cut whether it ends where the inside of the agent begins
   */
  private int stack(SampleView sample, Window into, boolean cut) {
    int node = Window.ROOT;
    if (cut) {
      for (int i = sample.userFrames() - 1; i >= 0; i--) {
        node = into.push(node, sample.head(i), sample.detail(i), this);
        int end = into.inside(node);
        if (end != node) {
          return end;
        }
      }
    } else {
      node = userStack(sample, into);
    }
    for (int i = sample.kernelFrames() - 1; i > 0; i--) {
      node = into.push(node, KERNEL_RETURN, sample.kernelAddress(i), this);
    }
    if (sample.kernelFrames() > 0) {
      node = into.push(node, KERNEL_EXACT, sample.kernelAddress(0), this);
    }
    return node;
  }

  private int userStack(SampleView sample, Window into) {
    int frames = sample.userFrames();
    if (words.length < 2 * frames) {
      words = new long[4 * frames];
    }
    sample.frames(words);
    return into.push(words, frames, lastStacks[sample.tid() & (LAST_STACKS - 1)], this);
  }

  @Override
  public boolean cutsOwn() {
    return !asked.own();
  }

  @Override
  public void onWaitEnd(WaitEndView end) {
    if (waits.isPresent()) {
      waits.get().end(end);
    }
  }

  @Override
  public void onPark(SampleView sample, ParkView park) {
    unknownCodeSeen |= sample.end() == WalkEnd.NO_MAPPING.index();
    if (parks.isPresent()) {
      Labels labels = Labels.of(LabelKey.VTHREAD, virtualThread(sample));
      parks.get().add(sample, park, contexts.with(labels, sample));
    }
  }

  /** Who ran, or waits: the thread, the virtual thread that it carries, and what for. */
  Labels labels(SampleView sample) {
    String thread =
        name(sample.tid(), sample.threadStartNanos(), sample.comm(), sample.javaThread());
    Labels labels = Labels.of(LabelKey.THREAD, thread);
    if (sample.virtualThread() != 0 && asked.virtualThreads()) {
      labels = labels.with(LabelKey.VTHREAD, virtualThread(sample));
    }
    return contexts.with(labels, sample);
  }

  /** {@code name #id}, or {@code #id} without a name: a name alone need not be one thread's. */
  private String virtualThread(SampleView sample) {
    long id = sample.virtualThread();
    String name = sample.virtualName();
    if (sample.virtualNameUnread()) {
      name = virtualNames.get(id, 0, "");
    } else if (!name.isEmpty() && !virtualNames.young(id, 0, "").equals(name)) {
      virtualNames.put(id, 0, name);
    }
    return (name.isEmpty() ? "#" : name + " #") + id;
  }

  @Override
  public String thread(int tid, long threadStart, String comm) {
    return name(tid, threadStart, comm, 0);
  }

  private String name(int tid, long threadStart, String comm, long javaThread) {
    String name;
    try {
      name = symbolizer.threads().name(tid, threadStart, comm, javaThread);
    } catch (RuntimeException e) {
      log.warn(Trouble.FRAME_NAME, "thread " + tid + ": " + e);
      name = comm;
    }
    return name.isEmpty() ? NAMELESS_THREAD : name; // seen of a thread that ended
  }

  @Override
  public List<Frame> frames(long head, long detail) {
    try {
      return RawFrame.kind(head) == 0
          ? List.of(symbolizer.kernel(detail, RawFrame.exact(head)))
          : symbolizer.resolve(head, detail);
    } catch (RuntimeException e) {
      log.warn(
          Trouble.FRAME_NAME, Long.toHexString(head) + " " + Long.toHexString(detail) + ": " + e);
      return List.of();
    }
  }

  /** A defect in naming costs the name of one frame, not the profiler. */
  @Override
  public void resolve(Window into, long head, long detail) {
    try {
      name(into, head, detail);
    } catch (RuntimeException e) {
      String frame = Long.toHexString(head) + " " + Long.toHexString(detail);
      StackTraceElement[] trace = e.getStackTrace();
      log.warn(Trouble.FRAME_NAME, frame + ": " + e + (trace.length == 0 ? "" : " at " + trace[0]));
      into.define(Mapping.UNKNOWN, 0, UNNAMED, "", 0, FrameClass.UNRESOLVED);
    }
  }

  private void name(Window into, long head, long detail) {
    int kind = RawFrame.kind(head);
    if (kind == 0) {
      Frame frame = symbolizer.kernel(detail, RawFrame.exact(head));
      define(into, Mapping.KERNEL, shown(frame, detail, RawFrame.exact(head)), frame);
      return;
    }
    List<Frame> frames = symbolizer.resolve(head, detail);
    boolean shown = false;
    for (int i = 0; i < frames.size(); i++) {
      Frame frame = frames.get(i);
      if (frame.hidden() && !asked.hidden() || frames.size() > 1 && ParkRecorder.isOwn(frame)) {
        continue; // ours are inlined into frames of the JDK
      }
      shown = true;
      switch (frame.kind()) {
        case NATIVE -> {
          long address = shown(frame, RawFrame.address(head), RawFrame.exact(head));
          int module = kind == RawFrame.NATIVE ? (int) detail : 0;
          define(into, mappings.of(module, frame.module()), address, frame);
        }
        case MARKER -> define(into, Mapping.MARKERS, unread(head, detail), frame);
        case KERNEL -> define(into, Mapping.KERNEL, 0, frame);
        case COMPILED, COMPILED_C1, NATIVE_METHOD -> define(into, Mapping.JVM, 0, frame);
        case INLINED -> define(into, Mapping.JVM_INLINED, 0, frame);
        case INTERPRETED -> define(into, Mapping.JVM_INTERPRETED, 0, frame);
        case STUB -> define(into, Mapping.JVM_STUBS, 0, frame);
      }
    }
    if (!shown) {
      into.hide();
    }
  }

  /**
   * The address of a frame that has no name. Native and kernel frames that have one are told apart
   * by function: every address in it would be a location, and a stack, of its own, a third of a
   * profile's size, for what no server and no picture shows.
   */
  private static long shown(Frame frame, long address, boolean exact) {
    if (frame.resolved()) {
      return 0;
    }
    return exact ? address : address - 1; // a return address belongs to the call before it
  }

  /**
   * Of a stack that ends where memory could not be read, the page: its marker is told from others
   * of its name by it, for whoever looks for the cause.
   */
  private static long unread(long head, long detail) {
    return RawFrame.unread(head, detail) & -PAGE;
  }

  private void define(Window into, Mapping mapping, long address, Frame frame) {
    FrameClass frameClass =
        frame.kind() == FrameKind.MARKER
            ? FrameClass.MARKER
            : frame.resolved() ? FrameClass.RESOLVED : FrameClass.UNRESOLVED;
    String name =
        asked.tiers() && frame.resolved()
            ? frame.function() + frame.kind().tier()
            : frame.function();
    into.define(mapping, address, name, frame.file(), frame.line(), frameClass);
  }
}
