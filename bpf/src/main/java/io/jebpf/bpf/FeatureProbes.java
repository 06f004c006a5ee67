package io.jebpf.bpf;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * Finds out what the kernel has and lets us use, by trying it: never by its version. What cannot be
 * tried is "undetermined", with the cause. Nothing is left behind.
 */
public final class FeatureProbes {
  /** What the kernel side needs. */
  public enum Feature {
    CAPABILITIES("the capabilities CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN"),
    BTF("the kernel's type information"),
    BPF("the system call bpf()"),
    PERF_EVENT_PROGRAMS("programs on clock events"),
    SYSCALL_PROGRAMS("programs run by a system call"),
    CPU_CLOCK("clock events on each CPU by perf_event_open()"),
    RING_BUFFER("the ring buffer"),
    LOOP("the helper bpf_loop"),
    TASK_REGISTERS("the helpers bpf_get_current_task_btf and bpf_task_pt_regs"),
    OWN_MEMORY("reading memory by process_vm_readv()");

    private final String sentence;

    Feature(String sentence) {
      this.sentence = sentence;
    }

    public String sentence() {
      return sentence;
    }
  }

  private static final Support YES = new Support.Yes();
  private static final int MAP_ARRAY = 2;
  private static final int MAP_RINGBUF = 27;
  private static final int PROGRAM_PERF_EVENT = 7;
  private static final int PROGRAM_SYSCALL = 31;
  private static final int HELPER_CURRENT_TASK_BTF = 158;
  private static final int HELPER_TASK_PT_REGS = 175;
  private static final int HELPER_LOOP = 181;
  private static final int CAP_SYS_ADMIN = 21;
  private static final int CAP_PERFMON = 38;
  private static final int CAP_BPF = 39;
  private static final int PERIOD_NANOS = 10_000_000; // never enabled, so any value does

  private final KernelCalls kernel;
  private final BpfCalls bpf;
  private final Path root;

  FeatureProbes(KernelCalls kernel, BpfCalls bpf, Path root) {
    this.kernel = kernel;
    this.bpf = bpf;
    this.root = root;
  }

  /** Probes all, in the order of the enum. Takes some milliseconds. */
  public static Map<Feature, Support> run(NativeRuntime runtime) {
    return new FeatureProbes(runtime.kernel(), runtime.bpf(), Path.of("/")).run();
  }

  Map<Feature, Support> run() {
    Map<Feature, Support> found = new EnumMap<>(Feature.class);
    found.put(Feature.CAPABILITIES, capabilities());
    found.put(Feature.BTF, btf());
    Support bpfCall = map(MAP_ARRAY, "probe", Integer.BYTES, Long.BYTES, 1);
    found.put(Feature.BPF, bpfCall);
    Support programs = after(bpfCall, () -> program(PROGRAM_PERF_EVENT, "perf_event"));
    found.put(Feature.PERF_EVENT_PROGRAMS, programs);
    found.put(Feature.SYSCALL_PROGRAMS, after(bpfCall, () -> program(PROGRAM_SYSCALL, "syscall")));
    found.put(Feature.CPU_CLOCK, cpuClock());
    found.put(
        Feature.RING_BUFFER,
        after(bpfCall, () -> map(MAP_RINGBUF, "probe_ring", 0, 0, kernel.pageSize())));
    found.put(Feature.LOOP, after(programs, () -> helpers(HELPER_LOOP)));
    found.put(
        Feature.TASK_REGISTERS,
        after(programs, () -> helpers(HELPER_CURRENT_TASK_BTF, HELPER_TASK_PT_REGS)));
    found.put(Feature.OWN_MEMORY, ownMemory());
    return Collections.unmodifiableMap(found);
  }

  private interface Probe {
    Support run();
  }

  /** A probe that says nothing unless another feature is there. */
  private static Support after(Support condition, Probe probe) {
    return switch (condition) {
      case Support.Yes yes -> probe.run();
      case Support.No no -> new Support.Undetermined("not tried, it needs " + no.needs());
      case Support.Undetermined unknown -> unknown;
    };
  }

  private Support capabilities() {
    try {
      long effective = Long.parseUnsignedLong(status("CapEff"), 16);
      boolean admin = has(effective, CAP_SYS_ADMIN);
      if (admin || has(effective, CAP_BPF) && has(effective, CAP_PERFMON)) {
        return initialUserNamespace()
            ? YES
            : new Support.No(
                "the capabilities in the initial user namespace; those held count in this one"
                    + " only");
      }
      String missing =
          has(effective, CAP_BPF)
              ? "CAP_PERFMON"
              : has(effective, CAP_PERFMON) ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON";
      return new Support.No(missing + " (or CAP_SYS_ADMIN)");
    } catch (IOException | NumberFormatException e) {
      return new Support.Undetermined("/proc/self/status: " + e);
    }
  }

  private static boolean has(long set, int capability) {
    return (set >>> capability & 1) != 0;
  }

  /** The initial one maps all ids to themselves. */
  private boolean initialUserNamespace() throws IOException {
    return Files.readString(root.resolve("proc/self/uid_map"))
        .strip()
        .matches("0\\s+0\\s+4294967295");
  }

  private String status(String field) throws IOException {
    for (String line : Files.readAllLines(root.resolve("proc/self/status"))) {
      if (line.startsWith(field + ":")) {
        return line.substring(field.length() + 1).strip();
      }
    }
    throw new IOException("no line " + field);
  }

  private Support btf() {
    Path file = root.resolve("sys/kernel/btf/vmlinux");
    try (var in = Files.newInputStream(file)) {
      return in.read() < 0 ? new Support.No("a kernel whose " + file + " is not empty") : YES;
    } catch (AccessDeniedException e) {
      return new Support.Undetermined(file + " may not be read");
    } catch (IOException e) {
      return Files.isDirectory(root.resolve("sys/kernel"))
          ? new Support.No("a kernel with " + file + " (CONFIG_DEBUG_INFO_BTF=y)")
          : new Support.Undetermined("/sys is not mounted");
    }
  }

  private Support map(int type, String name, int keyBytes, int valueBytes, int entries) {
    int fd = bpf.mapCreate(type, name, keyBytes, valueBytes, entries, 0);
    if (fd >= 0) {
      kernel.close(fd);
      return YES;
    }
    return switch (-fd) {
      case Errno.EPERM -> refused("bpf");
      case Errno.ENOSYS ->
          new Support.No("bpf() in the seccomp profile or in the kernel (CONFIG_BPF_SYSCALL=y)");
      case Errno.EINVAL -> new Support.No("a kernel with map type " + type);
      default ->
          new Support.Undetermined("bpf(BPF_MAP_CREATE, type " + type + "): " + Errno.text(-fd));
    };
  }

  /**
   * EPERM: for want of rights, or, with the rights, because a filter or a security module says so.
   */
  private Support refused(String call) {
    if (!capabilities().yes()) {
      return new Support.No("CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN)");
    }
    try {
      return status("Seccomp").equals("0")
          ? new Support.No(
              "that a security module or the kernel's lockdown mode allows " + call + "()")
          : new Support.No("a seccomp profile that allows " + call + "()");
    } catch (IOException e) {
      return new Support.Undetermined(
          call + "(): " + Errno.text(Errno.EPERM) + "; /proc/self/status: " + e);
    }
  }

  private Support program(int type, String name) {
    int found = bpf.probeProgram(type);
    if (found == 1) {
      return YES;
    }
    if (found < 0) {
      return new Support.Undetermined(
          "loading a program of type " + name + ": " + Errno.text(-found));
    }
    return capabilities().yes()
        ? new Support.No("a kernel, and a security profile, that allow programs of type " + name)
        : new Support.No("CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN)");
  }

  private Support helpers(int... helpers) {
    for (int helper : helpers) {
      int found = bpf.probeHelper(PROGRAM_PERF_EVENT, helper);
      if (found < 0) {
        return new Support.Undetermined("helper " + helper + ": " + Errno.text(-found));
      }
      if (found == 0) {
        return new Support.No("a kernel with BPF helper " + helper);
      }
    }
    return YES;
  }

  private Support cpuClock() {
    int cpu;
    try {
      cpu = OnlineCpus.parse(Files.readString(root.resolve("sys/devices/system/cpu/online")))[0];
    } catch (IOException e) {
      return new Support.Undetermined("the list of online CPUs: " + e);
    }
    int fd = kernel.perfOpen(cpu, PERIOD_NANOS);
    if (fd >= 0) {
      kernel.close(fd);
      return YES;
    }
    return switch (-fd) {
      case Errno.EACCES, Errno.EPERM ->
          capabilities().yes()
              ? refused("perf_event_open")
              : new Support.No(
                  "CAP_PERFMON (or CAP_SYS_ADMIN); " + Advice.setting("perf_event_paranoid"));
      case Errno.ENOSYS ->
          new Support.No(
              "perf_event_open() in the seccomp profile or in the kernel (CONFIG_PERF_EVENTS=y)");
      case Errno.ENOENT, Errno.EOPNOTSUPP -> new Support.No("a kernel with software clock events");
      default -> new Support.Undetermined("perf_event_open(cpu=" + cpu + "): " + Errno.text(-fd));
    };
  }

  /** Reads one byte of our own memory. */
  private Support ownMemory() {
    int got = ProcessVm.probe(kernel, (int) ProcessHandle.current().pid());
    if (got == 1) {
      return YES;
    }
    return switch (-got) {
      case Errno.ENOSYS, Errno.EPERM ->
          new Support.No("a seccomp profile that allows process_vm_readv()");
      default -> new Support.Undetermined("process_vm_readv() of ourselves: " + Errno.text(-got));
    };
  }
}
