package io.jebpf.bpf;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The kernel programs, parsed but not loaded: knobs (fields of {@code struct jebpf_config}) and
 * sizes may be set. Owner: one thread. {@link #load} hands everything to {@link KernelPrograms};
 * what is closed before is released here.
 */
public final class KernelObject implements AutoCloseable {
  static final int RING_BYTES_MIN = 4096;
  static final int RING_BYTES_MAX = 1 << 29;

  private static final String RESOURCE = "jebpf.bpf.o";
  private static final String NAME = "jebpf";

  private final KernelCalls kernel;
  private final BpfCalls bpf;
  private final ByteBuffer config;
  private final Btf btf;
  private final int configType;
  private long object;
  private Optional<OffCpuPrograms> offCpu = Optional.empty();

  private KernelObject(NativeRuntime runtime, long object) throws KernelException {
    this.kernel = runtime.kernel();
    this.bpf = runtime.bpf();
    this.object = object;
    this.config = bpf.mapInitialValue(find(".rodata.config"));
    this.btf = parseBtf();
    this.configType = btf.struct("jebpf_config");
    if (configType == 0 || config.capacity() < btf.size(configType)) {
      throw new KernelException(
          "section .rodata.config holds no struct jebpf_config", Errno.EINVAL, "");
    }
    entries("walks", possibleCpus()); // one scratch record for each
  }

  /** Parses the object in our jar. */
  public static KernelObject open(NativeRuntime runtime) throws KernelException {
    return open(runtime, resource(RESOURCE));
  }

  static KernelObject open(NativeRuntime runtime, byte[] elf) throws KernelException {
    BpfCalls bpf = runtime.bpf();
    long object = parse(bpf, elf, NAME);
    try {
      return new KernelObject(runtime, object);
    } catch (KernelException | RuntimeException e) {
      bpf.objectClose(object);
      throw e;
    }
  }

  static byte[] resource(String name) throws KernelException {
    try (InputStream in = KernelObject.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new KernelException("this jar has no " + name, 0, "use a jar from a complete build");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new KernelException(
          name + " could not be read from the jar: " + e, 0, "is the jar complete?");
    }
  }

  /** A {@code struct bpf_object *}, to be closed by the caller. */
  static long parse(BpfCalls bpf, byte[] elf, String name) throws KernelException {
    bpf.takeLog();
    long object = bpf.objectOpen(elf, name);
    if (object < 0) {
      throw new KernelException(
          "bpf_object__open(" + name + ", " + elf.length + " bytes)",
          (int) -object,
          "is the jar complete?",
          bpf.takeLog());
    }
    return object;
  }

  /** Puts a parsed object into the kernel; it is still the caller's to close. */
  static void load(BpfCalls bpf, long object, String name) throws KernelException {
    bpf.takeLog();
    int error = bpf.objectLoad(object); // libbpf asks for the verifier's log after a failure only
    if (error < 0) {
      throw new KernelException(
          "bpf_object__load(" + name + ")", -error, Advice.forLoad(-error), bpf.takeLog());
    }
  }

  private Btf parseBtf() throws KernelException {
    try {
      return Btf.parse(bpf.objectBtf(object));
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new KernelException(
          "reading the BTF of " + NAME + " (" + e.getMessage() + ")", Errno.EINVAL, "");
    }
  }

  private long find(String map) throws KernelException {
    return find(bpf, object, map);
  }

  static long find(BpfCalls bpf, long object, String map) throws KernelException {
    long found = bpf.findMap(object, map);
    if (found < 0) {
      throw new KernelException("finding map " + map + " in " + NAME, (int) -found, "");
    }
    return found;
  }

  /**
   * Sets one field of {@code struct jebpf_config}.
   *
   * @throws IllegalArgumentException there is no such field, or the value needs more bits than it
   *     has
   */
  public void knob(String field, long value) {
    requireOpen();
    Btf.Field found = field(configType, field);
    if (found.elements() != 1 || btf.isStruct(found.type())) {
      throw new IllegalArgumentException("knob " + field + " is not a single number");
    }
    put(field, found.offset(), found.bytes(), value);
  }

  /** Sets a field of one element of an array of structs, such as {@code heaps[1].low}. */
  public void knob(String arrayField, int index, String field, long value) {
    requireOpen();
    Btf.Field array = field(configType, arrayField);
    String name = arrayField + "[" + index + "]." + field;
    if (!btf.isStruct(array.type())) {
      throw new IllegalArgumentException("knob " + arrayField + " is not an array of structs");
    }
    if (index < 0 || index >= array.elements()) {
      throw new IllegalArgumentException("knob " + name + ": there are only " + array.elements());
    }
    Btf.Field inner = field(array.type(), field);
    put(name, array.offset() + index * array.bytes() + inner.offset(), inner.bytes(), value);
  }

  private Btf.Field field(int struct, String name) {
    return btf.field(struct, name)
        .orElseThrow(() -> new IllegalArgumentException("there is no knob " + name));
  }

  private void put(String name, int offset, int bytes, long value) {
    if (bytes < Long.BYTES) {
      long above = value >> bytes * 8 - 1; // 0 and 1: fits unsigned; -1: fits as a negative number
      if (above < -1 || above > 1) {
        throw new IllegalArgumentException(
            "knob " + name + " has " + bytes + " bytes, too few for " + value);
      }
    }
    switch (bytes) {
      case 1 -> config.put(offset, (byte) value);
      case 2 -> config.putShort(offset, (short) value);
      case 4 -> config.putInt(offset, (int) value);
      case 8 -> config.putLong(offset, value);
      default ->
          throw new IllegalArgumentException("knob " + name + " is " + bytes + " bytes wide");
    }
  }

  /** Size of the ring, rounded up to a power of two. */
  public void ringBytes(int bytes) throws KernelException {
    requireOpen();
    if (bytes < RING_BYTES_MIN || bytes > RING_BYTES_MAX) {
      throw new IllegalArgumentException(
          "ring of "
              + bytes
              + " bytes is not between "
              + RING_BYTES_MIN
              + " and "
              + RING_BYTES_MAX);
    }
    int power = Integer.highestOneBit(bytes) == bytes ? bytes : Integer.highestOneBit(bytes) << 1;
    entries("samples", Math.max(power, kernel.pageSize()));
  }

  /** Takes the off-CPU programs along; without this call they are not loaded. */
  public void offCpu(OffCpuPrograms wanted) throws KernelException {
    requireOpen();
    entries("cpus", possibleCpus());
    for (String name : wanted.names()) {
      long program = bpf.findProgram(object, name);
      int error = program < 0 ? (int) program : bpf.setAutoload(program, true);
      if (error < 0) {
        throw new KernelException("bpf_program__set_autoload(" + name + ")", -error, "");
      }
    }
    knob("waker_ns", wanted.wakerNanos());
    knob("tick_iterator", wanted.iterator() ? 1 : 0);
    offCpu = Optional.of(wanted);
  }

  private int possibleCpus() throws KernelException {
    int cpus = bpf.possibleCpus();
    if (cpus <= 0) {
      throw new KernelException("reading /sys/devices/system/cpu/possible", -cpus, "Mount /sys");
    }
    return cpus;
  }

  private void entries(String map, int count) throws KernelException {
    int error = bpf.mapSetEntries(find(map), count);
    if (error < 0) {
      throw new KernelException("bpf_map__set_max_entries(" + map + ", " + count + ")", -error, "");
    }
  }

  /**
   * Puts programs and maps into the kernel. Nothing runs yet. This object is closed then, also on
   * failure.
   */
  public KernelPrograms load() throws KernelException {
    return load(OnlineCpus.system());
  }

  KernelPrograms load(OnlineCpus online) throws KernelException {
    requireOpen();
    long loading = object;
    object = 0;
    boolean done = false;
    try {
      load(bpf, loading, NAME);
      KernelPrograms programs = KernelPrograms.take(kernel, bpf, loading, online, offCpu);
      done = true;
      return programs;
    } finally {
      if (!done) {
        bpf.objectClose(loading);
      }
    }
  }

  private void requireOpen() {
    if (object == 0) {
      throw new IllegalStateException("the kernel object is loaded or closed");
    }
  }

  @Override
  public void close() {
    if (object != 0) {
      bpf.objectClose(object);
      object = 0;
    }
  }
}
