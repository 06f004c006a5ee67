package io.jebpf.agent.doctor;

import static io.jebpf.agent.doctor.Remedy.command;
import static io.jebpf.agent.doctor.Remedy.docker;
import static io.jebpf.agent.doctor.Remedy.host;
import static io.jebpf.agent.doctor.Remedy.kubernetes;
import static io.jebpf.agent.doctor.Remedy.option;
import static io.jebpf.agent.doctor.Remedy.systemd;

import io.jebpf.agent.engine.IteratedSymbols;
import io.jebpf.agent.files.ProfileDirectory;
import io.jebpf.agent.options.Options;
import io.jebpf.bpf.FeatureProbes;
import io.jebpf.bpf.FeatureProbes.Feature;
import io.jebpf.bpf.NativeLoadException;
import io.jebpf.bpf.NativeRuntime;
import io.jebpf.bpf.Support;
import io.jebpf.bpf.SystemCallProbe;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Looks at everything that the profiler needs, one finding each, in the order in which a start
 * would meet it. Tries rather than guesses; leaves nothing behind.
 */
final class Examination {
  /** Linux 6.1: what the kernel programs are made for. */
  private static final int KERNEL_KNOWN = 6001;

  /** From here on BPF memory is charged to the cgroup and no longer to RLIMIT_MEMLOCK. */
  private static final int KERNEL_CGROUP_CHARGE = 5011;

  private static final int JAVA_NEEDED = 22;
  private static final String RUN = "java -javaagent:jebpf.jar ...";

  private final Machine machine;
  private final Options options;
  private final List<Finding> findings = new ArrayList<>();

  Examination(Machine machine, Options options) {
    this.machine = machine;
    this.options = options;
  }

  List<Finding> run() {
    findings.add(kernel());
    findings.add(java());
    findings.add(btf());
    findings.add(lockdown());
    findings.add(memlock());
    findings.add(capabilities());
    findings.add(namespaces());
    Optional<NativeRuntime> natives = natives();
    Map<String, String> filtered = natives.map(SystemCallProbe::filtered).orElse(Map.of());
    findings.add(seccomp(natives.isPresent(), filtered));
    if (natives.isPresent()) {
      features(FeatureProbes.run(natives.get()), filtered);
    }
    findings.add(kernelSymbols(natives));
    findings.add(profiles());
    return findings;
  }

  private Finding kernel() {
    String why = "Linux " + machine.kernel();
    return machine.kernelVersion() >= KERNEL_KNOWN
        ? Finding.yes("kernel", "kernel", why)
        : Finding.less(
            "kernel",
            "kernel",
            why + ", and 6.1 or newer is what the profiler is made for",
            host("install a kernel of 6.1 or newer"));
  }

  private static Finding java() {
    return Finding.yes(
        "java",
        "Java",
        System.getProperty("java.vm.version", "?")
            + ", and a JVM of "
            + JAVA_NEEDED
            + " or newer can be profiled");
  }

  private Finding btf() {
    String title = "the kernel's type information (BTF)";
    Path file = machine.root().resolve("sys/kernel/btf/vmlinux");
    try (var in = Files.newInputStream(file)) {
      if (in.read() >= 0) {
        return Finding.yes("btf", title, file.toString());
      }
    } catch (IOException e) {
      if (!machine.exists("sys/kernel")) {
        return Finding.no(
            "btf",
            title,
            "/sys is not mounted",
            command("mount -t sysfs -o ro sysfs /sys"),
            docker("no --tmpfs or volume at /sys"),
            kubernetes("no volumeMount at /sys"));
      }
    }
    Optional<String> over = machine.mountBelow("/sys/kernel/btf");
    return over.isPresent()
        ? Finding.no(
            "btf",
            title,
            file + " is hidden by a mount at " + over.get(),
            command("umount " + over.get()),
            docker("--security-opt systempaths=unconfined"),
            kubernetes("no volumeMount at or below /sys/kernel/btf"))
        : Finding.no(
            "btf",
            title,
            "this kernel has no " + file,
            host("use a kernel with CONFIG_DEBUG_INFO_BTF=y, as all large distributions have"));
  }

  private Finding lockdown() {
    String state = machine.line("sys/kernel/security/lockdown");
    if (state.isEmpty()) {
      return Finding.yes("lockdown", "lockdown", "not in use, or not to be seen");
    }
    return state.contains("[confidentiality]")
        ? Finding.no(
            "lockdown",
            "lockdown",
            "confidentiality: the kernel lets no program read its memory",
            host("boot with lockdown=integrity, or without lockdown="))
        : Finding.yes("lockdown", "lockdown", state);
  }

  private Finding memlock() {
    if (machine.kernelVersion() >= KERNEL_CGROUP_CHARGE) {
      return Finding.yes(
          "memlock", "locked memory", "no limit: this kernel charges BPF memory to the cgroup");
    }
    return Finding.yes(
        "memlock",
        "locked memory",
        "the profiler raises its limit while it loads, with the rights");
  }

  private Finding capabilities() {
    String title = "the rights CAP_BPF and CAP_PERFMON";
    if (!machine.isInitialUserNamespace()) {
      return Finding.no(
          "capabilities",
          title,
          "this is a user namespace, and the kernel asks for them outside of it",
          command(
              "run it outside of the user namespace (not under unshare -U, no rootless engine)"),
          docker("--userns=host"),
          kubernetes("spec: {hostUsers: true}"));
    }
    if (machine.hasBpf() && machine.hasPerfmon()) {
      return Finding.yes("capabilities", title, "both, as user " + machine.uid());
    }
    String missing =
        machine.hasBpf()
            ? "CAP_PERFMON"
            : machine.hasPerfmon() ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON";
    return Finding.no(
        "capabilities",
        title,
        "this process lacks "
            + missing
            + ", and the settings of this kernel do not do without ("
            + machine.setting("perf_event_paranoid")
            + ", "
            + machine.setting("unprivileged_bpf_disabled")
            + ")",
        grantRemedies());
  }

  private Remedy[] grantRemedies() {
    String ids =
        machine.uid() == 0
            ? ""
            : "--reuid=" + machine.uid() + " --regid=" + machine.gid() + " --clear-groups ";
    return new Remedy[] {
      command(
          "sudo setpriv "
              + ids
              + "--inh-caps=+bpf,+perfmon,+syslog --ambient-caps=+bpf,+perfmon,+syslog "
              + RUN),
      systemd("AmbientCapabilities=CAP_BPF CAP_PERFMON CAP_SYSLOG"),
      docker("--cap-add BPF --cap-add PERFMON --cap-add SYSLOG (and --user 0)"),
      kubernetes("securityContext: {runAsUser: 0, capabilities: {add: [BPF, PERFMON, SYSLOG]}}")
    };
  }

  private Finding namespaces() {
    return Finding.yes(
        "namespaces",
        "process numbers",
        machine.isPidNamespace()
            ? "a PID namespace of its own; the profiler asks the kernel for its number"
            : "those of the machine");
  }

  private Optional<NativeRuntime> natives() {
    List<Path> parents = new ArrayList<>();
    options.nativeDir().ifPresent(parents::add);
    parents.add(Path.of(System.getProperty("java.io.tmpdir", "/tmp")));
    parents.add(Path.of("/dev/shm"));
    String title = "a directory to load native libraries from";
    try {
      NativeRuntime runtime = NativeRuntime.load(parents);
      List<String> refused = runtime.refusedPlaces();
      findings.add(
          refused.isEmpty()
              ? Finding.yes("native", title, parents.get(0).toString())
              : new Finding(
                  "native",
                  title,
                  Finding.Verdict.YES,
                  "another place was taken, because " + String.join("; ", refused),
                  List.of(option("native.dir=/dev/shm"))));
      return Optional.of(runtime);
    } catch (NativeLoadException e) {
      findings.add(
          Finding.no(
              "native",
              title,
              e.getMessage(),
              option("native.dir=/some/directory, writable, with 2 MB free, not mounted noexec"),
              docker("--tmpfs /tmp:exec"),
              kubernetes("an emptyDir volume at /tmp")));
      return Optional.empty();
    }
  }

  private Finding seccomp(boolean tried, Map<String, String> filtered) {
    String title = "system calls let through by seccomp";
    if (!tried) {
      return Finding.unknown("seccomp", title, "not tried without the native libraries");
    }
    if (filtered.isEmpty()) {
      return Finding.yes(
          "seccomp",
          title,
          machine.isSeccomp() ? "a filter is there and allows what is needed" : "no filter");
    }
    String calls = String.join(" ", filtered.keySet());
    String profile = String.join(", ", filtered.keySet());
    return Finding.no(
        "seccomp",
        title,
        "refused: "
            + filtered.entrySet().stream()
                .map(entry -> entry.getKey() + " (" + entry.getValue() + ")")
                .collect(Collectors.joining(", ")),
        systemd("SystemCallFilter=" + calls),
        docker(
            "--security-opt seccomp=jebpf-seccomp.json (docs/deployment: allows "
                + profile
                + "), or seccomp=unconfined"),
        kubernetes(
            "securityContext: {seccompProfile: {type: Localhost, localhostProfile:"
                + " jebpf-seccomp.json}}"));
  }

  /** Only what is not explained by rights, BTF or seccomp: those have findings of their own. */
  private void features(Map<Feature, Support> found, Map<String, String> filtered) {
    boolean rights =
        machine.hasBpf()
            && machine.hasPerfmon()
            && machine.isInitialUserNamespace()
            && filtered.isEmpty();
    for (Map.Entry<Feature, Support> entry : found.entrySet()) {
      Feature feature = entry.getKey();
      if (feature != Feature.CAPABILITIES && feature != Feature.BTF) {
        findings.add(feature(feature, entry.getValue(), rights));
      }
    }
  }

  static Finding feature(Feature feature, Support support, boolean rights) {
    String id = feature.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    return switch (support) {
      case Support.Yes yes -> Finding.yes(id, feature.sentence(), "tried");
      case Support.Undetermined unknown -> Finding.unknown(id, feature.sentence(), unknown.cause());
      case Support.No no ->
          rights
              ? Finding.no(id, feature.sentence(), "needs " + no.needs(), host("use " + no.needs()))
              : Finding.unknown(id, feature.sentence(), "see above: it needs " + no.needs());
    };
  }

  /** Names only: the profiler runs without them. */
  private Finding kernelSymbols(Optional<NativeRuntime> natives) {
    String title = "names of kernel functions";
    try (Stream<String> lines = Files.lines(machine.root().resolve("proc/kallsyms"))) {
      boolean hidden = lines.limit(1000).allMatch(line -> line.startsWith("0000000000000000 "));
      if (!hidden) {
        return Finding.yes("kernel-symbols", title, "/proc/kallsyms");
      }
    } catch (IOException | java.io.UncheckedIOException e) {
      return Finding.less(
          "kernel-symbols", title, e.toString(), command("mount -t proc proc /proc"));
    }
    String why =
        "/proc/kallsyms hides the addresses ("
            + machine.setting("kptr_restrict")
            + (machine.hasSyslog() ? ")" : ", no CAP_SYSLOG)");
    try {
      if (natives.isPresent() && isIterated(natives.get())) {
        return Finding.yes("kernel-symbols", title, why + ", a BPF iterator gives them");
      }
    } catch (IOException e) {
      why += "; " + e.getMessage();
    }
    return Finding.less(
        "kernel-symbols",
        title,
        why,
        machine.hasSyslog()
            ? new Remedy[] {command("sysctl kernel.kptr_restrict=1")}
            : grantRemedies());
  }

  private static boolean isIterated(NativeRuntime natives) throws IOException {
    try (InputStream symbols = new IteratedSymbols(natives).open()) {
      return symbols.read() >= 0;
    }
  }

  private Finding profiles() {
    String title = "a directory for profiles";
    if (options.out().isEmpty()) {
      return Finding.yes("out", title, "none is wanted: out=off");
    }
    Path out = options.out().get();
    boolean there = Files.isDirectory(out);
    try {
      ProfileDirectory.open(out, options.diskBytes());
      if (!there) {
        Files.deleteIfExists(out); // leaves the parent, which others share
      }
      return Finding.yes("out", title, out.toString());
    } catch (IOException e) {
      return Finding.no(
          "out",
          title,
          out + ": " + e + " (" + machine.mount(out.toString()) + ")",
          option("out=/var/tmp/jebpf"),
          systemd("StateDirectory=jebpf and Environment=JEBPF_OUT=/var/lib/jebpf"),
          docker("--tmpfs /tmp:exec, or -e JEBPF_OUT=/a/writable/volume"),
          kubernetes("an emptyDir volume at /tmp"));
    }
  }
}
