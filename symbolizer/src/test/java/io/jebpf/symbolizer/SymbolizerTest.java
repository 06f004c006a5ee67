package io.jebpf.symbolizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.symbolizer.hotspot.CodeSample;
import io.jebpf.symbolizer.hotspot.HotspotVm;
import io.jebpf.symbolizer.hotspot.LibjvmModule;
import io.jebpf.symbolizer.kernel.KernelSymbols;
import io.jebpf.symbolizer.modules.Module;
import io.jebpf.symbolizer.modules.ModuleTable;
import io.jebpf.symbolizer.modules.NativeSymbols;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The facade on this JVM's own code, with raw frames as the kernel side would make them. */
class SymbolizerTest {
  private static final SelfMemory MEMORY = new SelfMemory();
  private static ModuleTable modules;
  private static HotspotVm vm;
  private static CodeSample code;

  @BeforeAll
  static void open() throws Exception {
    modules = new ModuleTable(Path.of("/proc/self"), MEMORY);
    modules.refresh();
    LibjvmModule libjvm = LibjvmModule.read(modules.byFileName("libjvm.so").orElseThrow());
    switch (HotspotVm.open(MEMORY, libjvm)) {
      case HotspotVm.Opening.Opened opened -> vm = opened.vm();
      case HotspotVm.Opening.Unavailable unavailable ->
          throw new AssertionError(unavailable.cause());
    }
    code = CodeSample.of(vm, MEMORY);
  }

  private static Symbolizer symbolizer(Optional<HotspotVm> hotspot) {
    return Symbolizer.open(hotspot, new NativeSymbols(modules), new KernelSymbols());
  }

  private static long compiledDetail(int compileId, int pcOffset) {
    return (long) compileId << 32 | pcOffset;
  }

  @Test
  void compiledCodeAndItsReplacement() {
    Symbolizer symbolizer = symbolizer(Optional.of(vm));
    int inlined = 0;
    for (CodeSample.Nmethod nmethod : code.compiled()) {
      long head = RawFrame.head(RawFrame.COMPILED, 0, nmethod.address());
      List<Frame> frames =
          symbolizer.resolve(head, compiledDetail(nmethod.compileId(), nmethod.codeBytes() / 3));
      assertSame(
          frames,
          symbolizer.resolve(head, compiledDetail(nmethod.compileId(), nmethod.codeBytes() / 3)));
      Frame last = frames.getLast();
      if (last.resolved()) { // else it was flushed a moment ago
        assertTrue(
            last.kind() == FrameKind.COMPILED || last.kind() == FrameKind.COMPILED_C1,
            last::toString);
        assertTrue(last.function().matches("[^/]+\\..+"), last.function());
        inlined += frames.size() - 1;
        frames.stream()
            .limit(frames.size() - 1)
            .forEach(frame -> assertEquals(FrameKind.INLINED, frame.kind()));
      }
    }
    assertTrue(inlined > 10, "inlined frames: " + inlined);
    CodeSample.Nmethod any = code.compiled().getFirst();
    long head = RawFrame.head(RawFrame.COMPILED, 0, any.address());
    long before = symbolizer.count(Unresolved.CODE_REPLACED);
    Frame replaced =
        symbolizer.resolve(head, compiledDetail(any.compileId() + 1_000_000, 8)).getFirst();
    assertEquals("[unknown: compiled code was replaced]", replaced.function());
    assertFalse(replaced.resolved());
    assertEquals(before + 1, symbolizer.count(Unresolved.CODE_REPLACED));
  }

  @Test
  void nativeMethodsHaveTheirJavaNames() {
    Symbolizer symbolizer = symbolizer(Optional.of(vm));
    Set<String> names = new TreeSet<>();
    for (CodeSample.Nmethod wrapper : code.wrappers()) {
      Frame frame =
          symbolizer
              .resolve(
                  RawFrame.head(RawFrame.WRAPPER, 0, wrapper.address()),
                  compiledDetail(wrapper.compileId(), 20))
              .getFirst();
      assertEquals(FrameKind.NATIVE_METHOD, frame.kind(), frame.function());
      assertEquals(0, frame.line());
      names.add(frame.function());
    }
    assertTrue(names.contains("jdk.internal.vm.Continuation.enterSpecial"), names.toString());
  }

  @Test
  void interpretedFramesAreCheckedAgainstTheirConstMethod() {
    Symbolizer symbolizer = symbolizer(Optional.of(vm));
    int withLine = 0;
    for (CodeSample.Nmethod nmethod : code.compiled()) {
      long head = RawFrame.head(RawFrame.INTERPRETED, 0, nmethod.method());
      Frame start = symbolizer.resolve(head, nmethod.identity()).getFirst();
      Frame unknownBci =
          symbolizer
              .resolve(head, (long) RawFrame.BCI_UNKNOWN << 48 | nmethod.identity())
              .getFirst();
      assertTrue(start.resolved());
      assertEquals(FrameKind.INTERPRETED, start.kind());
      assertEquals(start.function(), unknownBci.function());
      assertEquals(0, unknownBci.line());
      withLine += start.line() > 0 ? 1 : 0;
      Frame wrong = symbolizer.resolve(head, nmethod.identity() + 8).getFirst();
      assertFalse(wrong.resolved());
    }
    assertTrue(withLine > code.compiled().size() / 2, withLine + " with a line");
    assertEquals(code.compiled().size(), symbolizer.count(Unresolved.METHOD_REPLACED));
  }

  @Test
  void stubsHaveFewDistinctNames() {
    Symbolizer symbolizer = symbolizer(Optional.of(vm));
    Set<String> names = new TreeSet<>();
    for (long blob : code.stubs()) {
      for (int offset = 0; offset < 4096; offset += 512) {
        Frame frame = symbolizer.resolve(RawFrame.head(RawFrame.STUB, 0, blob), offset).getFirst();
        if (frame.resolved()) {
          assertEquals(FrameKind.STUB, frame.kind());
          names.add(frame.function());
        }
      }
    }
    assertTrue(names.contains("vtable stub") && names.contains("I2C/C2I adapter"), "" + names);
    assertTrue(names.stream().anyMatch(name -> name.startsWith("StubRoutines::")), "" + names);
    assertTrue(names.size() < 400, names.size() + " names");
  }

  @Test
  void interpreterWithoutAJavaFrame() {
    Symbolizer symbolizer = symbolizer(Optional.of(vm));
    Set<String> names = new TreeSet<>();
    for (long pc = code.interpreterLow(); pc < code.interpreterHigh(); pc += 40) {
      Frame frame = symbolizer.resolve(RawFrame.head(RawFrame.INTERPRETER, 1, pc), 0).getFirst();
      assertEquals(FrameKind.STUB, frame.kind());
      names.add(frame.function());
    }
    assertTrue(
        names.containsAll(Set.of("Interpreter", "Interpreter::method entry point")),
        names.toString());
    assertTrue(names.size() < 30, names.toString());
  }

  @Test
  void nativeAndKernelCode() {
    Symbolizer symbolizer = symbolizer(Optional.empty());
    Module libjvm = modules.byFileName("libjvm.so").orElseThrow();
    long entry = libjvm.addressOf("JNI_GetCreatedJavaVMs").orElseThrow();
    Frame exact =
        symbolizer
            .resolve(RawFrame.head(RawFrame.NATIVE, RawFrame.EXACT, entry), libjvm.number())
            .getFirst();
    assertEquals("JNI_GetCreatedJavaVMs", exact.function());
    assertEquals(FrameKind.NATIVE, exact.kind());
    assertTrue(exact.module().endsWith("/libjvm.so"));
    Frame returnAddress =
        symbolizer.resolve(RawFrame.head(RawFrame.NATIVE, 0, entry), libjvm.number()).getFirst();
    assertFalse(returnAddress.function().equals("JNI_GetCreatedJavaVMs"));
    Frame nowhere = symbolizer.resolve(RawFrame.head(RawFrame.NATIVE, 0, 4096), 0).getFirst();
    assertFalse(nowhere.resolved());
    assertEquals(1, symbolizer.count(Unresolved.NO_MODULE));
    Frame kernel = symbolizer.kernel(0xffff_ffff_ffff_0000L, false);
    assertEquals(FrameKind.KERNEL, kernel.kind());
  }

  @Test
  void markersSayWhyTheStackEnds() {
    Symbolizer symbolizer = symbolizer(Optional.empty());
    Frame marker = symbolizer.resolve(RawFrame.head(RawFrame.MARKER, 0, 5), 0x1234).getFirst();
    assertEquals(new Frame(FrameKind.MARKER, "[unwind stopped: no rule]", "", 0, "", true), marker);
    Frame later = symbolizer.resolve(RawFrame.head(RawFrame.MARKER, 0, 99), 0).getFirst();
    assertEquals(FrameKind.MARKER, later.kind());
  }

  @Test
  void withoutAJvmJavaFramesAreUnknown() {
    Symbolizer symbolizer = symbolizer(Optional.empty());
    for (int kind : new int[] {2, 3, 4, 5, 6}) {
      assertFalse(
          symbolizer.resolve(RawFrame.head(kind, 0, 0x7f00_0000_0000L), 1).getFirst().resolved());
    }
    assertEquals(5, symbolizer.count(Unresolved.NO_HOTSPOT));
    Frame strange = symbolizer.resolve(RawFrame.head(55, 0, 1), 1).getFirst();
    assertFalse(strange.resolved());
  }

  @Test
  void threadsAreNamedInFullAndFollowSetName() throws Exception {
    Symbolizer symbolizer = symbolizer(Optional.of(vm));
    ThreadNames threads = symbolizer.threads();
    Thread self = Thread.currentThread();
    int tid = Integer.parseInt(Path.of("/proc/thread-self").toRealPath().getFileName().toString());
    String before = self.getName();
    try {
      self.setName("a thread with a name that does not fit");
      assertEquals(self.getName(), threads.name(tid, 1, "comm"));
      self.setName("another name");
      assertEquals(
          "a thread with a name that does not fit", threads.name(tid, 1, "comm"), "cached");
      symbolizer.beginWindow();
      assertEquals("another name", threads.name(tid, 1, "comm"));
    } finally {
      self.setName(before);
    }
    assertEquals("no java", threads.name(Integer.MAX_VALUE, 1, "no java"));
  }
}
