package io.jebpf.symbolizer.hotspot;

import io.jebpf.symbolizer.Frame;
import io.jebpf.symbolizer.FrameKind;
import io.jebpf.symbolizer.RawFrame;
import io.jebpf.symbolizer.Resolution;
import io.jebpf.symbolizer.Unresolved;
import java.util.ArrayList;
import java.util.List;

/**
 * Names the frames that HotSpot's unwinder took. Never guesses: where the identity in the sample no
 * longer matches what memory holds, the frame says so.
 *
 * <p>Owner: the reader thread.
 */
public final class HotspotFrames {
  private final CodeHeaps heaps;
  private final Blobs blobs;
  private final Interpreter interpreter;
  private final Nmethods nmethods;
  private final Methods methods;
  private final StubNames stubs;

  HotspotFrames(
      TargetMemory memory,
      HotspotLayout layout,
      CodeHeaps heaps,
      Interpreter interpreter,
      StubNames stubs) {
    this.heaps = heaps;
    this.interpreter = interpreter;
    this.stubs = stubs;
    this.blobs = new Blobs(memory, layout.blob());
    this.nmethods = new Nmethods(memory, layout);
    this.methods = new Methods(memory, layout.method());
  }

  /** A compiled method or a native wrapper: 1 frame, and 1 more for each inlined call. */
  public Resolution compiled(long nmethod, int compileId, int pcOffset) {
    return switch (nmethods.decode(nmethod, compileId, pcOffset)) {
      case Nmethods.Decoding.Scopes(List<Nmethods.Scope> scopes, boolean c1) -> inlined(scopes, c1);
      case Nmethods.Decoding.MethodOnly(long method, boolean c1) -> {
        MethodInfo info = methods.at(method);
        yield info.exists() ? named(info, kind(info, compiled(c1)), 0) : noMethod();
      }
      case Nmethods.Decoding.Replaced() ->
          Resolution.unresolved(
              FrameKind.COMPILED, "compiled code was replaced", "", Unresolved.CODE_REPLACED);
      case Nmethods.Decoding.Unreadable() ->
          Resolution.unresolved(
              FrameKind.COMPILED, "compiled code is unreadable", "", Unresolved.CODE_UNREADABLE);
    };
  }

  private static FrameKind compiled(boolean c1) {
    return c1 ? FrameKind.COMPILED_C1 : FrameKind.COMPILED;
  }

  private Resolution inlined(List<Nmethods.Scope> scopes, boolean c1) {
    List<Frame> frames = new ArrayList<>(scopes.size());
    Unresolved missing = Unresolved.NOTHING;
    for (int i = 0; i < scopes.size(); i++) {
      Nmethods.Scope scope = scopes.get(i);
      MethodInfo info = methods.at(scope.method());
      FrameKind kind = i == scopes.size() - 1 ? compiled(c1) : FrameKind.INLINED;
      if (info.exists()) {
        frames.add(frame(info, kind(info, kind), methods.line(info, Math.max(scope.bci(), 0))));
      } else {
        frames.add(Frame.unknown(kind, "method is unreadable", ""));
        missing = Unresolved.METHOD_UNREADABLE;
      }
    }
    return new Resolution(frames, missing);
  }

  /**
   * An interpreted method. {@code bci} {@link RawFrame#BCI_UNKNOWN} where not known.
   *
   * <p>After class unloading or redefinition another method can get its place: then the identity
   * that the sample holds is not that of what is there. (Not noticed: a class of the very same
   * shape, such as a proxy, that got every address of an unloaded one.)
   */
  public Resolution interpreted(long method, long identity, int bci) {
    long constMethod = methods.constMethodOf(method);
    if (!methods.is(constMethod, identity)) {
      return replaced();
    }
    MethodInfo info = methods.at(method, constMethod);
    int line = bci == RawFrame.BCI_UNKNOWN ? 0 : methods.line(info, bci);
    if (methods.constMethodOf(method) != constMethod || !methods.is(constMethod, identity)) {
      return replaced(); // while it was read
    }
    return info.exists() ? named(info, kind(info, FrameKind.INTERPRETED), line) : noMethod();
  }

  private static Resolution replaced() {
    return Resolution.unresolved(
        FrameKind.INTERPRETED, "method was unloaded", "", Unresolved.METHOD_REPLACED);
  }

  /** Code of the JVM itself in the code cache. */
  public Resolution stub(long blob, long pc) {
    Blobs.Blob header = blobs.at(blob);
    String name = header.exists() ? stubs.nameOf(header, pc) : "";
    return name.isEmpty()
        ? Resolution.unresolved(FrameKind.STUB, "stub was freed", "", Unresolved.NO_BLOB)
        : Resolution.named(new Frame(FrameKind.STUB, name, "", 0, "", true));
  }

  /** Interpreter code that runs for no method, or whose method is not known. */
  public Resolution interpreterCode(long pc) {
    return Resolution.named(new Frame(FrameKind.STUB, interpreter.nameAt(pc), "", 0, "", true));
  }

  /** Whether {@code pc} is in the code cache, so that a native symbol is not to be expected. */
  public boolean isCodeCache(long pc) {
    return heaps.contains(pc);
  }

  /** A pc of which only the address is known: its blob is looked up now. */
  public Resolution atPc(long pc) {
    if (interpreter.contains(pc)) {
      return interpreterCode(pc);
    }
    return stub(heaps.blobAt(pc), pc);
  }

  private static Resolution noMethod() {
    return Resolution.unresolved(
        FrameKind.COMPILED, "method is unreadable", "", Unresolved.METHOD_UNREADABLE);
  }

  private static Resolution named(MethodInfo info, FrameKind kind, int line) {
    return Resolution.named(frame(info, kind, line));
  }

  private static Frame frame(MethodInfo info, FrameKind kind, int line) {
    return new Frame(kind, info.function(), info.file(), line, "", true);
  }

  private static FrameKind kind(MethodInfo info, FrameKind kind) {
    return info.isNative() ? FrameKind.NATIVE_METHOD : kind;
  }
}
