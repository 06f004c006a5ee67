package io.jebpf.agent.engine;

import io.jebpf.agent.context.ContextLabels;
import io.jebpf.agent.context.ThreadContexts;
import io.jebpf.agent.engine.Lack.Ability;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.offcpu.ParkRecorder;
import io.jebpf.agent.offcpu.WaitRecorder;
import io.jebpf.agent.options.OffCpuOptions;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.vthread.HookException;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import io.jebpf.bpf.Alarm;
import io.jebpf.bpf.KernelException;
import io.jebpf.bpf.KernelObject;
import io.jebpf.bpf.KernelPrograms;
import io.jebpf.bpf.NativeLoadException;
import io.jebpf.bpf.NativeRuntime;
import io.jebpf.bpf.OffCpu;
import io.jebpf.bpf.OffCpuPrograms;
import io.jebpf.bpf.ProcessVm;
import io.jebpf.symbolizer.ProcessMemory;
import io.jebpf.symbolizer.Symbolizer;
import io.jebpf.symbolizer.elf.ElfException;
import io.jebpf.symbolizer.hotspot.HotspotVm;
import io.jebpf.symbolizer.hotspot.KnobSink;
import io.jebpf.symbolizer.hotspot.LibjvmModule;
import io.jebpf.symbolizer.kernel.KernelSymbols;
import io.jebpf.symbolizer.modules.Module;
import io.jebpf.symbolizer.modules.ModuleTable;
import io.jebpf.symbolizer.modules.NativeSymbols;
import io.jebpf.symbolizer.modules.PerfMap;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Starts the engine over the real kernel, step by step. A step that fails either ends the start
 * (then everything before it is undone) or costs one ability, which is listed as missing: first
 * kernel symbols, then Java frames, then nothing is left to give up.
 */
public final class KernelEngineStarter implements EngineStarter {
  private static final Path PROCESS = Path.of("/proc/self");
  private static final Path BTF = Path.of("/sys/kernel/btf/vmlinux");

  private static final int RING_BYTES_MIN = 1 << 19;
  private static final int RING_BYTES_MAX = 1 << 26;

  /** The rate may be raised later, by the MBean, when the size is fixed already. */
  private static final int RING_HZ_MIN = 150;

  /** 100 frames of 16 bytes: a usual server's stack. */
  private static final int SAMPLE_BYTES_USUAL = 1_700;

  /**
   * For tests: what a kernel before 6.2 makes necessary, on any kernel. Not an option: there is
   * nothing to gain by it.
   */
  private static final String ITERATOR_PROPERTY = "io.jebpf.iterator";

  private final Optional<Instrumentation> instrumentation;
  private final ThreadContexts contexts;
  private volatile boolean unpacking;
  private volatile Optional<NativeRuntime> loaded = Optional.empty();

  /** {@code instrumentation}: for what has to change classes of the JDK; may be left out. */
  public KernelEngineStarter(Optional<Instrumentation> instrumentation, ThreadContexts contexts) {
    this.instrumentation = instrumentation;
    this.contexts = contexts;
  }

  @Override
  public Engine start(Options options, AgentLog log, BooleanSupplier cancelled)
      throws EngineException {
    Start start = new Start(options, log, cancelled);
    try {
      return start.run();
    } catch (EngineException | RuntimeException | Error e) {
      start.undo.run();
      throw e;
    }
  }

  @Override
  public boolean hasFilesOnDisk() {
    return unpacking;
  }

  /** The C library keeps what was freed, more with each start on other threads. */
  @Override
  public void detached() {
    loaded.ifPresent(NativeRuntime::trimNativeHeap);
  }

  /** One start. */
  private final class Start {
    private final Options options;
    private final AgentLog log;
    private final BooleanSupplier cancelled;
    private final List<Lack> missing = new ArrayList<>();
    private boolean memoryUnreadable;
    private ProcessMemory processMemory = (address, into, offset, length) -> false;
    private long stepNanos = System.nanoTime();
    private String offCpuRefusal = "";
    private Runnable undo = () -> {};
    private String debugNonSafepoints = "unknown: the JVM does not describe itself";

    Start(Options options, AgentLog log, BooleanSupplier cancelled) {
      this.options = options;
      this.log = log;
      this.cancelled = cancelled;
    }

    Engine run() throws EngineException {
      NativeRuntime runtime = loadNatives();
      loaded = Optional.of(runtime);
      undo = runtime::releaseThread;
      endStep("native libraries loaded");
      ProcessVm vm = runtime.processVm((int) ProcessHandle.current().pid());
      ProcessMemory memory = vm::read;
      processMemory = memory;
      ModuleTable modules = readModules(memory);
      endStep("mappings read");
      Optional<HotspotVm> hotspot = openHotspot(modules, memory);
      hotspot.ifPresent(jvm -> switchOnDebugInfo(runtime, jvm, memory));
      endStep("JVM understood");
      KernelPrograms programs = loadPrograms(runtime, hotspot);
      Optional<Alarm> alarm = Optional.empty();
      try {
        endStep("kernel programs loaded");
        alarm = Optional.of(openAlarm(programs));
        return assemble(runtime, programs, alarm.get(), modules, hotspot);
      } catch (EngineException | RuntimeException | Error e) {
        alarm.ifPresent(Alarm::close);
        programs.close();
        throw e;
      }
    }

    private static Alarm openAlarm(KernelPrograms programs) throws EngineException {
      try {
        return programs.openAlarm();
      } catch (KernelException e) {
        throw new EngineException(Trouble.KERNEL_REFUSED, e.getMessage(), e.advice(), e);
      }
    }

    private void switchOnDebugInfo(NativeRuntime runtime, HotspotVm jvm, ProcessMemory memory) {
      String outcome = DebugInfo.switchOn(jvm, memory);
      debugNonSafepoints = outcome;
      undo =
          () -> {
            DebugInfo.restore(outcome, jvm, memory);
            runtime.releaseThread();
          };
    }

    /** Tells how long the step took, and ends the start when it was called off. */
    private void endStep(String step) throws EngineException {
      long now = System.nanoTime();
      if (log.isDebug()) {
        log.debug("start: " + step + " after " + (now - stepNanos) / 1_000 + " us");
      }
      stepNanos = now;
      if (cancelled.getAsBoolean()) {
        throw new EngineException(Trouble.READER, EngineException.CANCELLED);
      }
    }

    private NativeRuntime loadNatives() throws EngineException {
      List<Path> parents = new ArrayList<>();
      options.nativeDir().ifPresent(parents::add);
      parents.add(Path.of(System.getProperty("java.io.tmpdir", "/tmp")));
      parents.add(Path.of("/dev/shm"));
      options.out().map(Path::toAbsolutePath).map(Path::getParent).ifPresent(parents::add);
      try {
        unpacking = true;
        NativeRuntime runtime = NativeRuntime.load(parents);
        reportRefused(runtime.refusedPlaces());
        return runtime;
      } catch (NativeLoadException e) {
        throw new EngineException(Trouble.NATIVE_LIBRARIES, e.getMessage(), "", e);
      } finally {
        unpacking = false;
      }
    }

    /** A directory that the user named is worth a warning; the others are only tries. */
    private void reportRefused(List<String> places) {
      if (places.isEmpty()) {
        return;
      }
      String why = String.join("; ", places) + "; they were loaded from another place";
      if (options.nativeDir().isPresent()) {
        log.warn(Trouble.NATIVE_LIBRARIES, why);
      } else {
        log.info(Trouble.NATIVE_LIBRARIES.title() + ": " + why);
      }
    }

    private ModuleTable readModules(ProcessMemory memory) throws EngineException {
      ModuleTable modules = new ModuleTable(PROCESS, memory);
      try {
        modules.refresh();
      } catch (IOException e) {
        throw new EngineException(
            Trouble.PROCESS_MEMORY, "/proc/self/maps: " + e, "Mount /proc", e);
      }
      byte[] probe = new byte[4];
      if (!modules.mappings().isEmpty()
          && !memory.read(modules.mappings().get(0).start(), probe, 0, probe.length)) {
        String why = "process_vm_readv of this process fails";
        log.warn(Trouble.PROCESS_MEMORY, why);
        missing.add(new Lack(Ability.PROCESS_MEMORY, why));
        memoryUnreadable = true;
      }
      return modules;
    }

    private Optional<HotspotVm> openHotspot(ModuleTable modules, ProcessMemory memory) {
      Optional<Module> libjvm = modules.byFileName("libjvm.so");
      if (libjvm.isEmpty()) {
        return withoutJava("no libjvm.so is mapped");
      }
      try {
        return switch (HotspotVm.open(memory, LibjvmModule.read(libjvm.get()))) {
          case HotspotVm.Opening.Opened opened -> Optional.of(opened.vm());
          case HotspotVm.Opening.Unavailable unavailable -> withoutJava(unavailable.cause());
        };
      } catch (ElfException e) {
        return withoutJava(e.getMessage());
      }
    }

    private Optional<HotspotVm> withoutJava(String why) {
      if (!memoryUnreadable) { // else this follows from what was said already
        log.warn(Trouble.JVM_STRUCTURES, why);
      }
      missing.add(new Lack(Ability.JAVA_FRAMES, why));
      return Optional.empty();
    }

    private KernelSymbols kernelSymbols(NativeRuntime runtime) {
      KernelSymbols symbols = new KernelSymbols(new IteratedSymbols(runtime));
      symbols.load();
      if (symbols.fromOtherSource()) {
        log.info("/proc/kallsyms hides the kernel's symbols; they were read by a BPF iterator");
      }
      symbols
          .unavailable()
          .ifPresent(
              why -> {
                log.warn(Trouble.KERNEL_SYMBOLS, why);
                missing.add(new Lack(Ability.KERNEL_SYMBOLS, ""));
              });
      return symbols;
    }

    /**
     * With the off-CPU programs if they are wanted and this kernel takes them: those that go by a
     * list of threads, or else (before Linux 6.2) by the task iterator.
     */
    private KernelPrograms loadPrograms(NativeRuntime runtime, Optional<HotspotVm> hotspot)
        throws EngineException {
      if (options.offCpu().tickNanos() > 0) {
        if (!Boolean.getBoolean(ITERATOR_PROPERTY)) {
          Optional<KernelPrograms> byList = tryOffCpu(runtime, hotspot, false);
          if (byList.isPresent()) {
            return byList.get();
          }
        }
        Optional<KernelPrograms> byIterator = tryOffCpu(runtime, hotspot, true);
        if (byIterator.isPresent()) {
          return byIterator.get();
        }
      }
      try {
        KernelPrograms programs = load(runtime, hotspot, Optional.empty());
        if (!offCpuRefusal.isEmpty()) {
          withoutOffCpu(offCpuRefusal);
        }
        return programs;
      } catch (KernelException e) {
        if (log.isDebug()) {
          log.debug(e.log());
        }
        throw new EngineException(refusal(e), e.getMessage(), e.advice(), e);
      }
    }

    private Optional<KernelPrograms> tryOffCpu(
        NativeRuntime runtime, Optional<HotspotVm> hotspot, boolean iterator) {
      OffCpuOptions wanted = options.offCpu();
      try {
        return Optional.of(
            load(
                runtime,
                hotspot,
                Optional.of(
                    new OffCpuPrograms(wanted.wakerNanos(), wanted.wakerStack(), iterator))));
      } catch (KernelException e) {
        offCpuRefusal = e.getMessage();
        if (log.isDebug()) {
          log.debug(e.log());
        }
        return Optional.empty();
      }
    }

    private KernelPrograms load(
        NativeRuntime runtime, Optional<HotspotVm> hotspot, Optional<OffCpuPrograms> offCpu)
        throws KernelException {
      try (KernelObject object = KernelObject.open(runtime)) {
        hotspot.ifPresent(jvm -> jvm.kernelKnobs(sink(object)));
        object.knob("depth_max", options.stacks().depth());
        object.knob("show_carrier", options.stacks().carrier() ? 1 : 0);
        object.ringBytes(ringBytes());
        contextTable(runtime, object);
        if (offCpu.isPresent()) {
          object.offCpu(offCpu.get());
        }
        return object.load();
      }
    }

    /** Where the kernel finds what threads work for. */
    private void contextTable(NativeRuntime runtime, KernelObject object) {
      try {
        contexts.table(runtime).ifPresent(table -> object.knob("context_table", table.address()));
      } catch (KernelException e) {
        log.warn(Trouble.INSTRUMENTATION, e.getMessage());
        missing.add(new Lack(Ability.TRACE_IDS, e.getMessage()));
      }
    }

    private void withoutOffCpu(String why) {
      log.warn(Trouble.OFF_CPU, why);
      missing.add(new Lack(Ability.WAITS, why));
    }

    /** The clocks and what feeds the waits; empty when not wanted, or refused here. */
    private Optional<KernelOffCpu> startOffCpu(
        KernelPrograms programs, int tgid, SampleFeeder feeder, Window first) {
      if (programs.offCpu().isEmpty()) {
        return Optional.empty();
      }
      OffCpu offCpu = programs.offCpu().get();
      try {
        offCpu.start(tgid);
      } catch (KernelException e) {
        withoutOffCpu(e.getMessage());
        return Optional.empty();
      }
      WaitRecorder recorder =
          new WaitRecorder(
              options.offCpu().idle(),
              options.offCpu().wakerNanos(),
              feeder,
              new KernelClocks(offCpu, log),
              first,
              options.offCpu().tickNanos());
      WaitFeeder waits = new WaitFeeder(recorder, feeder);
      feeder.waits(waits);
      KernelOffCpu side = new KernelOffCpu(offCpu, waits, log);
      if (options.offCpu().virtualThreads()) {
        startParks(offCpu, side, feeder, first);
      }
      return Optional.of(side);
    }

    /** Parks of virtual threads, where this JVM lets us see them. */
    private void startParks(OffCpu offCpu, KernelOffCpu side, SampleFeeder feeder, Window first) {
      if (instrumentation.isEmpty()) {
        withoutParks("the agent was started without instrumentation");
        return;
      }
      try {
        KernelParks parks =
            KernelParks.open(
                offCpu.parks(),
                instrumentation.get(),
                new ParkRecorder(options.offCpu().idle(), feeder, first),
                options.offCpu().tickNanos(),
                options.budgetMillionths());
        side.parks(parks);
        feeder.parks(parks);
        parks.withoutMonitors().ifPresent(this::withoutMonitors);
        parks.withoutUnparks().ifPresent(this::withoutUnparks);
      } catch (HookException e) {
        withoutParks(e.getMessage());
      }
    }

    private void withoutMonitors(String why) {
      log.warn(Trouble.MONITORS, why);
      missing.add(new Lack(Ability.VIRTUAL_MONITORS, why));
    }

    private void withoutUnparks(String why) {
      log.warn(Trouble.UNPARKS, why);
      missing.add(new Lack(Ability.VIRTUAL_QUEUES, why));
    }

    private void withoutParks(String why) {
      log.warn(Trouble.PARKS, why);
      missing.add(new Lack(Ability.VIRTUAL_PARKS, why));
    }

    private static Trouble refusal(KernelException e) {
      if (e.missingRights()) {
        return Trouble.RIGHTS;
      }
      return Files.exists(BTF) ? Trouble.KERNEL_REFUSED : Trouble.NO_BTF;
    }

    private static KnobSink sink(KernelObject object) {
      return new KnobSink() {
        @Override
        public void knob(String field, long value) {
          object.knob(field, value);
        }

        @Override
        public void knob(String array, int index, String field, long value) {
          object.knob(array, index, field, value);
        }
      };
    }

    /** Two seconds of samples, as a power of two: longer than the pauses of a healthy JVM. */
    private int ringBytes() {
      long cpus = Runtime.getRuntime().availableProcessors();
      long wanted = cpus * Math.max(options.cpuHz(), RING_HZ_MIN) * SAMPLE_BYTES_USUAL * 2;
      long bounded = Math.min(RING_BYTES_MAX, Math.max(RING_BYTES_MIN, wanted));
      return (int) (Long.highestOneBit(bounded - 1) << 1);
    }

    private Engine assemble(
        NativeRuntime runtime,
        KernelPrograms programs,
        Alarm alarm,
        ModuleTable modules,
        Optional<HotspotVm> hotspot)
        throws EngineException {
      int tgid;
      try {
        tgid = programs.whoami().tgid();
      } catch (KernelException e) {
        throw new EngineException(Trouble.KERNEL_REFUSED, e.getMessage(), e.advice(), e);
      }
      MappingPublisher publisher =
          new MappingPublisher(modules, programs, runtime::loads, log, System.nanoTime());
      publisher.publish();
      endStep("unwind tables published");
      Symbolizer symbolizer = Symbolizer.open(hotspot, natives(modules), kernelSymbols(runtime));
      ContextLabels labels = new ContextLabels(contexts);
      ModuleMappings mappings = new ModuleMappings(modules);
      Mapping main = mappings.main(mainBinary());
      Window first = new Window(Window.Limits.STANDARD, main);
      SampleFeeder feeder =
          new SampleFeeder(symbolizer, mappings, labels, first, options.stacks(), log);
      Optional<KernelOffCpu> offCpu = startOffCpu(programs, tgid, feeder, first);
      endStep("symbols opened");
      Engine.Facts facts =
          new Engine.Facts(
              kernelRelease(), engineName(offCpu.isPresent()), missing, main, debugNonSafepoints);
      OutOfMemoryCount outOfMemory =
          new OutOfMemoryCount(
              hotspot.map(HotspotVm::outOfMemoryCounters).orElse(List.of()), processMemory);
      return new KernelEngine(
          runtime,
          programs,
          alarm,
          tgid,
          symbolizer,
          feeder,
          publisher,
          labels,
          facts,
          outOfMemory,
          offCpu,
          undo,
          log);
    }

    private static NativeSymbols natives(ModuleTable modules) {
      return new NativeSymbols(modules, PerfMap.of(PROCESS, ProcessHandle.current().pid()));
    }

    private static String engineName(boolean withOffCpu) {
      return "cpu-clock on each CPU" + (withOffCpu ? ", context switches and ticker" : "");
    }

    private static String mainBinary() {
      try {
        return Files.readSymbolicLink(PROCESS.resolve("exe")).toString();
      } catch (IOException | UnsupportedOperationException e) {
        return "java"; // /proc is hidden: a profile needs some name for its main binary
      }
    }

    private static String kernelRelease() {
      try {
        return Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip();
      } catch (IOException e) {
        return "?";
      }
    }
  }
}
