package io.jebpf.bpf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What to do about a refusal of the kernel, by error number, with the settings that matter as they
 * are now.
 */
final class Advice {
  private static final Path SYSCTL = Path.of("/proc/sys/kernel");

  private Advice() {}

  static String forPerf(int errno) {
    return switch (errno) {
      case Errno.EPERM, Errno.EACCES ->
          setting("perf_event_paranoid")
              + ". Grant CAP_PERFMON (or CAP_SYS_ADMIN), in a container also in its security"
              + " profile (seccomp)";
      case Errno.ENOSYS ->
          "a seccomp profile or the kernel itself (CONFIG_PERF_EVENTS) leaves it out. Allow"
              + " perf_event_open";
      case Errno.EMFILE -> "the process has no file descriptor left. Raise its limit (ulimit -n)";
      case Errno.ENOMEM -> "free memory or raise the memory limit of the container";
      default -> "";
    };
  }

  static String forLoad(int errno) {
    return switch (errno) {
      case Errno.EPERM ->
          setting("unprivileged_bpf_disabled")
              + ". Grant CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN), in a container also in its"
              + " security profile (seccomp)";
      case Errno.EACCES, Errno.EINVAL, Errno.E2BIG ->
          "the kernel's verifier refuses the program. Please report its log with `uname -r`";
      case Errno.ENOSYS ->
          "a seccomp profile or the kernel itself (CONFIG_BPF_SYSCALL) leaves bpf() out. Allow bpf";
      case 3, Errno.ENOENT, Errno.EOPNOTSUPP ->
          "the kernel lacks what the programs need. Linux 6.1 or newer with CONFIG_DEBUG_INFO_BTF=y"
              + " is known to work";
      default -> forMap(errno);
    };
  }

  static String forMap(int errno) {
    return switch (errno) {
      case Errno.EPERM -> forLoad(errno);
      case Errno.ENOMEM -> "free memory or raise the memory limit of the container";
      case Errno.EMFILE -> "the process has no file descriptor left. Raise its limit (ulimit -n)";
      default -> "";
    };
  }

  /** "kernel.name=value". */
  static String setting(String name) {
    try {
      return "kernel." + name + "=" + Files.readString(SYSCTL.resolve(name)).strip();
    } catch (IOException e) {
      return "kernel." + name + " is unknown";
    }
  }
}
