package io.jebpf.symbolizer;

import io.jebpf.symbolizer.hotspot.HotspotFrames;
import io.jebpf.symbolizer.hotspot.HotspotVm;
import io.jebpf.symbolizer.kernel.KernelSymbols;
import io.jebpf.symbolizer.modules.NativeSymbols;
import io.jebpf.symbolizer.modules.Symbol;
import java.util.List;
import java.util.Optional;

/**
 * Turns the raw frames of samples into names. Frames are cached by identity, and the identity is
 * checked when a name is first looked up: what was replaced in between is said to be unknown.
 *
 * <p>Owner: the reader thread. Cost of a cached frame: one look-up, no allocation.
 */
public final class Symbolizer {
  /** Per generation; two are kept. About 200 bytes each with names shared. */
  private static final int ENTRIES_MAX = 8192;

  /** Cache key of kernel addresses: a kind that no raw frame has. */
  private static final int KERNEL = 0x7f;

  private static final Resolution ABSENT =
      Resolution.unresolved(FrameKind.MARKER, "absent", "", Unresolved.UNKNOWN_KIND);

  private final Optional<HotspotFrames> hotspot;
  private final NativeSymbols natives;
  private final KernelSymbols kernelSymbols;
  private final ThreadNames threads;
  private final IdentityCache<Resolution> cache = new IdentityCache<>(ENTRIES_MAX);
  private final long[] counts = new long[Unresolved.values().length];

  private Symbolizer(Optional<HotspotVm> vm, NativeSymbols natives, KernelSymbols kernelSymbols) {
    this.hotspot = vm.map(HotspotVm::frames);
    this.natives = natives;
    this.kernelSymbols = kernelSymbols;
    this.threads = new ThreadNames(vm.map(HotspotVm::threads), System::nanoTime);
  }

  /** {@code vm} empty: no JVM, or one that does not describe itself; then no Java names. */
  public static Symbolizer open(
      Optional<HotspotVm> vm, NativeSymbols natives, KernelSymbols kernelSymbols) {
    return new Symbolizer(vm, natives, kernelSymbols);
  }

  /**
   * The frames that one raw frame of a sample stands for, leaf (innermost inlined callee) first;
   * never empty. {@code head} and {@code detail} as in {@link RawFrame}.
   */
  public List<Frame> resolve(long head, long detail) {
    Resolution known = cache.young(head, detail, ABSENT);
    if (known == ABSENT) {
      known = fromOldOrMemory(head, detail);
      cache.put(head, detail, known);
    }
    counts[known.missing().ordinal()]++;
    return known.frames();
  }

  /**
   * Code that was looked up in the last generation keeps its names if its identity cannot have been
   * reused: compile ids and module numbers never are, Method pointers and stubs may be.
   */
  private Resolution fromOldOrMemory(long head, long detail) {
    int kind = RawFrame.kind(head);
    boolean lasting =
        kind == RawFrame.COMPILED || kind == RawFrame.WRAPPER || kind == RawFrame.NATIVE;
    Resolution old = lasting ? cache.old(head, detail, ABSENT) : ABSENT;
    return old == ABSENT || old.missing() != Unresolved.NOTHING ? look(head, detail) : old;
  }

  private Resolution look(long head, long detail) {
    long address = RawFrame.address(head);
    int kind = RawFrame.kind(head);
    if (kind == RawFrame.NATIVE) {
      return nativeCode((int) detail, address, RawFrame.exact(head));
    }
    if (kind == RawFrame.MARKER) {
      return Markers.of(address, detail);
    }
    if (hotspot.isEmpty()) {
      return Resolution.unresolved(
          FrameKind.STUB, "the JVM does not describe itself", "", Unresolved.NO_HOTSPOT);
    }
    HotspotFrames java = hotspot.get();
    return switch (kind) {
      case RawFrame.COMPILED, RawFrame.WRAPPER ->
          java.compiled(address, RawFrame.compileId(detail), RawFrame.pcOffset(detail));
      case RawFrame.INTERPRETED ->
          java.interpreted(address, RawFrame.identity(detail), RawFrame.bci(detail));
      case RawFrame.STUB -> java.stub(address, address + detail);
      case RawFrame.INTERPRETER -> java.interpreterCode(address);
      default ->
          Resolution.unresolved(
              FrameKind.MARKER, "frame of kind " + kind, "", Unresolved.UNKNOWN_KIND);
    };
  }

  private Resolution nativeCode(int module, long pc, boolean exact) {
    if (module == 0 && hotspot.isPresent() && hotspot.get().isCodeCache(pc)) {
      return hotspot.get().atPc(pc);
    }
    return switch (natives.resolve(module, pc, exact)) {
      case Symbol.Known known ->
          Resolution.named(
              new Frame(FrameKind.NATIVE, known.function(), "", 0, known.module(), true));
      case Symbol.Unknown unknown when unknown.module().isEmpty() ->
          Resolution.unresolved(FrameKind.NATIVE, unknown.reason(), "", Unresolved.NO_MODULE);
      case Symbol.Unknown unknown ->
          Resolution.unresolved(
              FrameKind.NATIVE, unknown.reason(), unknown.module(), Unresolved.NO_SYMBOL);
    };
  }

  /**
   * The kernel function at an address of a kernel stack.
   *
   * @param exact false for a return address: all but the first address of a kernel stack
   */
  public Frame kernel(long address, boolean exact) {
    long head = RawFrame.head(KERNEL, exact ? RawFrame.EXACT : 0, 0);
    Resolution known = cache.get(head, address, ABSENT);
    if (known == ABSENT) {
      known = kernelCode(address, exact);
      cache.put(head, address, known);
    }
    counts[known.missing().ordinal()]++;
    return known.frames().getFirst();
  }

  private Resolution kernelCode(long address, boolean exact) {
    return switch (kernelSymbols.resolve(address, exact)) {
      case Symbol.Known known ->
          Resolution.named(
              new Frame(FrameKind.KERNEL, known.function(), "", 0, known.module(), true));
      case Symbol.Unknown unknown ->
          Resolution.unresolved(
              FrameKind.KERNEL, "kernel", unknown.module(), Unresolved.NO_KERNEL_SYMBOL);
    };
  }

  public ThreadNames threads() {
    return threads;
  }

  /**
   * To be called once per window: thread names are read again, and what no sample asked for in two
   * windows is forgotten.
   */
  public void beginWindow() {
    threads.beginWindow();
    cache.nextGeneration();
  }

  /**
   * Raw frames looked up so far, by what was missing; {@link Unresolved#NOTHING} counts those with
   * names. Each use of a frame counts, also when it comes from the cache.
   */
  public long count(Unresolved missing) {
    return counts[missing.ordinal()];
  }
}
