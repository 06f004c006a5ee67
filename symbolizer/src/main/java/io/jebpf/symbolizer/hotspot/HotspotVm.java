package io.jebpf.symbolizer.hotspot;

import io.jebpf.symbolizer.ProcessMemory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The HotSpot JVM in the profiled process, described by itself. Opened once the JVM is up (in an
 * agent: always); everything taken here stays true for the life of the process. Failing parts are
 * left out one by one: a field that this release does not have costs its feature, not the JVM.
 *
 * <p>Threads: after {@link #open} immutable, but for {@link #kernelKnobs} and {@link
 * #debugNonSafepoints}, which read the target again through one buffer: one thread at a time.
 */
public final class HotspotVm {
  private static final String DEBUG_NON_SAFEPOINTS = "DebugNonSafepoints";
  private static final Set<String> FLAGS =
      Set.of(
          DEBUG_NON_SAFEPOINTS,
          "UseCompressedOops",
          "UseCompressedClassPointers",
          "UseCompactObjectHeaders",
          "UseZGC",
          "ZGenerational");

  /** Outcome of {@link #open}. */
  public sealed interface Opening {
    record Opened(HotspotVm vm) implements Opening {}

    /** {@code notYet}: the JVM is still starting, trying again later may help. */
    record Unavailable(String cause, boolean notYet) implements Opening {}
  }

  private final ProcessMemory processMemory;
  private final TargetMemory memory;
  private final LibjvmImage libjvm;
  private final VmStructs structs;
  private final VmAddresses addresses;
  private final HotspotLayout layout;
  private final CodeHeaps heaps;
  private final Interpreter interpreter;
  private final Map<String, Long> flags;

  private HotspotVm(ProcessMemory processMemory, LibjvmImage libjvm, VmStructs structs) {
    this.processMemory = processMemory;
    this.memory = new TargetMemory(processMemory);
    this.libjvm = libjvm;
    this.structs = structs;
    this.addresses = VmAddresses.of(memory, structs);
    this.layout = HotspotLayout.of(structs, addresses.jdkMajor());
    this.heaps = CodeHeaps.read(memory, structs, layout.blob());
    this.interpreter = Interpreter.read(memory, structs);
    this.flags = JvmFlags.addresses(memory, structs, FLAGS);
  }

  public static Opening open(ProcessMemory processMemory, LibjvmImage libjvm) {
    Optional<VmStructs> structs = VmStructs.read(new TargetMemory(processMemory), libjvm);
    if (structs.isEmpty()) {
      return new Opening.Unavailable(
          "gHotSpotVMStructs of libjvm.so is missing or cannot be read", false);
    }
    HotspotVm vm = new HotspotVm(processMemory, libjvm, structs.get());
    if (!vm.layout.blob().usable()
        || !vm.layout.nmethod().usable()
        || !vm.layout.method().usable()) {
      return new Opening.Unavailable(
          "JDK "
              + vm.addresses.jdkMajor()
              + " does not describe its code blobs, nmethods or methods as releases 17 to 28 do",
          false);
    }
    if (vm.heaps.heaps().isEmpty()) {
      return new Opening.Unavailable("the JVM has no code cache yet", true);
    }
    return new Opening.Opened(vm);
  }

  /**
   * Addresses of the JVM's own counters (4 bytes each) of the OutOfMemoryErrors that it has thrown;
   * none where libjvm.so has no symbol table.
   */
  public List<Long> outOfMemoryCounters() {
    List<Long> counters = new ArrayList<>();
    LibjvmNames.OUT_OF_MEMORY.forEach(name -> libjvm.address(name).ifPresent(counters::add));
    return List.copyOf(counters);
  }

  /** Feature release of the JDK, for example 25; 0 when the JVM does not say. */
  public int jdkMajor() {
    return addresses.jdkMajor();
  }

  /**
   * Sets every field of {@code struct jebpf_config} that is about the JVM. Reads the code cache
   * again: what did not exist at the call before may exist now.
   */
  public void kernelKnobs(KnobSink sink) {
    readKernelFacts().write(sink);
  }

  /**
   * The flag that makes compiled code carry debug information between safepoints. Storing 1 in its
   * byte affects methods compiled from then on. Empty when this JVM has no such flag.
   */
  public Optional<JvmFlag> debugNonSafepoints() {
    return flag(DEBUG_NON_SAFEPOINTS);
  }

  /** Naming of frames. The result is for one thread. */
  public HotspotFrames frames() {
    return framesReading(processMemory);
  }

  HotspotFrames framesReading(ProcessMemory memoryOfFrames) {
    TargetMemory own = new TargetMemory(memoryOfFrames);
    return new HotspotFrames(
        own, layout, heaps.readingWith(own), interpreter, new StubNames(own, libjvm));
  }

  /** The JVM's threads. The result is for one thread. */
  public JavaThreads threads() {
    TargetMemory own = new TargetMemory(processMemory);
    Oops oops = new Oops(own, oopEncoding(own), structs.field("Klass::_layout_helper"));
    FieldOffsets fields = new FieldOffsets(own, libjvm, layout, structs);
    return new JavaThreads(own, layout, structs, oops, fields);
  }

  private Oops.Encoding oopEncoding(TargetMemory own) {
    own.begin();
    long oopBase =
        structs.staticAddress("CompressedOops::_base", "CompressedOops::_narrow_oop._base");
    long oopShift =
        structs.staticAddress("CompressedOops::_shift", "CompressedOops::_narrow_oop._shift");
    long klassBase =
        structs.staticAddress(
            "CompressedKlassPointers::_base", "CompressedKlassPointers::_narrow_klass._base");
    long klassShift =
        structs.staticAddress(
            "CompressedKlassPointers::_shift", "CompressedKlassPointers::_narrow_klass._shift");
    boolean generationalZgc =
        isOn("UseZGC") && (jdkMajor() >= 24 || jdkMajor() >= 21 && isOn("ZGenerational"));
    return new Oops.Encoding(
        isOn("UseCompressedOops"),
        oopBase == 0 ? 0 : own.pointer(oopBase),
        oopShift == 0 ? 0 : own.i32(oopShift),
        jdkMajor() >= 27 || isOn("UseCompressedClassPointers"), // 27 knows no other class pointers
        isOn("UseCompactObjectHeaders"),
        klassBase == 0 ? 0 : own.pointer(klassBase),
        klassShift == 0 ? 0 : own.i32(klassShift),
        layout.thread().markKlassShift(),
        generationalZgc);
  }

  private boolean isOn(String flag) {
    return flag(flag).map(JvmFlag::value).orElse(false);
  }

  HotspotLayout layout() {
    return layout;
  }

  CodeHeaps heaps() {
    return heaps;
  }

  Optional<JvmFlag> flag(String name) {
    return JvmFlags.read(memory, flags, name);
  }

  private KernelKnobs readKernelFacts() {
    Blobs blobs = new Blobs(memory, layout.blob());
    FieldOffsets fields = new FieldOffsets(memory, libjvm, layout, structs);
    Oops.Encoding oops = oopEncoding(memory);
    List<EntryCodelet> entries =
        interpreter.codelets().stream()
            .filter(Interpreter.Codelet::isMethodEntry)
            .map(codelet -> EntryCodelet.of(memory, codelet))
            .sorted(Comparator.comparingLong(EntryCodelet::start))
            .toList();
    return new KernelKnobs(
        layout,
        heaps,
        addresses.codeLow(),
        addresses.codeHigh(),
        libjvm.address(LibjvmNames.CODE_EPOCH).orElse(0),
        interpreter,
        entries,
        addresses.callStubReturn(),
        Continuations.find(memory, structs, libjvm, layout, heaps, blobs),
        FrozenFrames.find(fields, oops, ThawEnd.find(memory, libjvm)),
        MountedThread.find(fields, structs, memory, oops, jdkMajor()),
        BlobNames.find(memory, heaps, blobs, libjvm),
        Tls.find(memory, libjvm),
        structs.constant("_thread_in_Java").orElse(KernelKnobs.ABSENT));
  }
}
