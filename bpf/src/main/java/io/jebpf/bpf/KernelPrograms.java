package io.jebpf.bpf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * The programs and maps in the kernel. Owns everything reached through it; {@link #close} releases
 * it all in reverse order, after which nothing of ours is left in the kernel. Thread-safe; the
 * parts name their own owners. Stop the thread that polls the ring before closing.
 */
public final class KernelPrograms implements AutoCloseable {
  private final KernelCalls kernel;
  private final BpfCalls bpf;
  private final Deque<AutoCloseableQuietly> owned = new ArrayDeque<>();
  private final Target target;
  private final CpuSampler sampler;
  private final int ringFd;
  private final SampleRing ring;
  private final UnwindTables tables;
  private final Mappings mappings;
  private final int whoamiFd;
  private final int whoamiResultFd;
  private final int statsFd;
  private final int possibleCpus;
  private final Optional<OffCpu> offCpu;
  private boolean closed;

  private interface AutoCloseableQuietly {
    void close();
  }

  private KernelPrograms(
      KernelCalls kernel,
      BpfCalls bpf,
      long object,
      OnlineCpus online,
      Optional<OffCpuPrograms> withOffCpu)
      throws KernelException {
    this.kernel = kernel;
    this.bpf = bpf;
    try {
      whoamiFd = program(object, "whoami");
      whoamiResultFd = mapFd(object, "whoami_result");
      statsFd = mapFd(object, "stats");
      possibleCpus = bpf.possibleCpus();
      if (possibleCpus <= 0) {
        throw new KernelException(
            "reading /sys/devices/system/cpu/possible", -possibleCpus, "Mount /sys");
      }
      target = new Target(mapArray(kernel, object, ".data.target", 1, Layout.TARGET_BYTES));
      mappings =
          new Mappings(
              mapArray(kernel, object, "mappings", 2 * Layout.MAPPINGS_MAX, Layout.MAPPING_BYTES),
              target);
      ByteBuffer rules =
          mapArray(kernel, object, "unwind_rules", Layout.RULES_MAX, Layout.RULE_BYTES);
      tables = new UnwindTables(kernel, bpf, rules, mapFd(object, "unwind_tables"));
      owned.push(tables::close);
      ringFd = mapFd(object, "samples");
      ring = mapRing(kernel, object);
      sampler = new CpuSampler(kernel, program(object, "on_cpu"), target, online);
      owned.push(sampler::close);
      offCpu =
          withOffCpu.isPresent()
              ? Optional.of(offCpu(kernel, object, withOffCpu.get()))
              : Optional.empty();
      offCpu.ifPresent(side -> owned.push(side::close));
    } catch (KernelException | RuntimeException e) {
      release();
      throw e;
    }
  }

  /** Takes a loaded object over. When it throws, the object is still the caller's. */
  static KernelPrograms take(
      KernelCalls kernel,
      BpfCalls bpf,
      long object,
      OnlineCpus online,
      Optional<OffCpuPrograms> withOffCpu)
      throws KernelException {
    KernelPrograms programs = new KernelPrograms(kernel, bpf, object, online, withOffCpu);
    programs.owned.addLast(() -> bpf.objectClose(object)); // released last
    return programs;
  }

  private OffCpu offCpu(KernelCalls kernel, long object, OffCpuPrograms programs)
      throws KernelException {
    ThreadClocks clocks =
        new ThreadClocks(
            bpf,
            mapArray(kernel, object, "clocks", Layout.CLOCKS_MAX, Layout.CLOCK_BYTES),
            mapArray(kernel, object, ".data.list", 1, Layout.LIST_BYTES),
            mapFd(object, "free_clocks"));
    return new OffCpu(
        kernel,
        bpf,
        target,
        clocks,
        program(object, programs.switching()),
        program(object, programs.waking()),
        program(object, programs.ticking()),
        program(object, programs.edge()),
        programs.iterator(),
        mapFd(object, "bell"),
        new Parks(kernel, program(object, OffCpuPrograms.PARKING)));
  }

  private int program(long object, String name) throws KernelException {
    long program = bpf.findProgram(object, name);
    int fd = program < 0 ? (int) program : bpf.programFd(program);
    if (fd < 0) {
      throw new KernelException("finding program " + name, -fd, "");
    }
    return fd;
  }

  private int mapFd(long object, String name) throws KernelException {
    int fd = bpf.mapFd(KernelObject.find(bpf, object, name));
    if (fd < 0) {
      throw new KernelException("finding map " + name, -fd, "");
    }
    return fd;
  }

  private ByteBuffer mapArray(
      KernelCalls kernel, long object, String name, int entries, int entryBytes)
      throws KernelException {
    Mmap mapped =
        Mmap.shared(kernel, name, mapFd(object, name), 0, (long) entries * entryBytes, true);
    owned.push(mapped::close);
    return mapped.buffer();
  }

  private SampleRing mapRing(KernelCalls kernel, long object) throws KernelException {
    int bytes = bpf.mapEntries(KernelObject.find(bpf, object, "samples"));
    if (bytes <= 0) {
      throw new KernelException("bpf_map__max_entries(samples)", -bytes, "");
    }
    int page = kernel.pageSize();
    Mmap consumer = Mmap.shared(kernel, "samples", ringFd, 0, page, true);
    owned.push(consumer::close);
    Mmap producer = Mmap.shared(kernel, "samples", ringFd, page, page + (long) bytes, false);
    owned.push(producer::close);
    NativeBuffer straight = NativeBuffer.allocate(SampleRing.RECORD_BYTES_MAX);
    owned.push(straight::close);
    return new SampleRing(consumer.buffer(), producer.buffer(), page, bytes, straight.buffer());
  }

  /** The calling thread, in the kernel's numbers and in its own. */
  public synchronized Whoami whoami() throws KernelException {
    requireOpen();
    int result = bpf.testRun(whoamiFd);
    if (result != 0) {
      throw new KernelException(
          "bpf(BPF_PROG_TEST_RUN, whoami)",
          result < 0 ? -result : Errno.EIO,
          Advice.forLoad(-result));
    }
    byte[] bytes = new byte[Layout.WHOAMI_BYTES];
    int error = bpf.mapLookup(whoamiResultFd, 0, bytes);
    if (error < 0) {
      throw new KernelException("bpf(BPF_MAP_LOOKUP_ELEM, whoami_result)", -error, "");
    }
    ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    return new Whoami(
        out.getInt(Layout.WHOAMI_TGID),
        out.getInt(Layout.WHOAMI_TID),
        out.getInt(Layout.WHOAMI_NS_TGID),
        out.getInt(Layout.WHOAMI_NS_TID));
  }

  /** Which process to sample, in the kernel's numbers ({@link Whoami#tgid}); 0 for none. */
  public synchronized void target(int tgid) {
    requireOpen();
    target.tgid(tgid);
  }

  public CpuSampler cpuSampler() {
    return sampler;
  }

  /** An alarm that also ends a long sleep when the ring fills. To be closed before the programs. */
  public Alarm openAlarm() throws KernelException {
    return Alarm.open(kernel, ringFd, target::readerAsleep);
  }

  public SampleRing ring() {
    return ring;
  }

  /** The off-CPU side; empty unless {@link KernelObject#offCpu} asked for it. */
  public Optional<OffCpu> offCpu() {
    return offCpu;
  }

  public UnwindTables unwindTables() {
    return tables;
  }

  public Mappings mappings() {
    return mappings;
  }

  /**
   * All counters, summed over the CPUs; see {@link KernelStat} for the indexes, {@link WalkCounts}
   * for those of walks.
   */
  public synchronized long[] stats() throws KernelException {
    requireOpen();
    long[] sums = new long[Layout.STAT_COUNT];
    int cpuBytes = Layout.STAT_COUNT * Long.BYTES;
    byte[] values = new byte[possibleCpus * cpuBytes];
    int error = bpf.mapLookup(statsFd, 0, values);
    if (error < 0) {
      throw new KernelException("bpf(BPF_MAP_LOOKUP_ELEM, stats)", -error, "");
    }
    ByteBuffer in = ByteBuffer.wrap(values).order(ByteOrder.nativeOrder());
    for (int cpu = 0; cpu < possibleCpus; cpu++) {
      for (int stat = 0; stat < sums.length; stat++) {
        sums[stat] += in.getLong(cpu * cpuBytes + stat * Long.BYTES);
      }
    }
    return sums;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the kernel programs are closed");
    }
  }

  private void release() {
    while (!owned.isEmpty()) {
      owned.pop().close();
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    release();
  }
}
