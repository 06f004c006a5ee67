package io.jebpf.bpf;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Tells a system call that is filtered (seccomp) from one that fails for want of rights: it is made
 * with arguments that the kernel refuses before it looks at rights. Nothing is left behind.
 */
public final class SystemCallProbe {
  private SystemCallProbe() {}

  /**
   * The calls that the profiler needs, each with the error that a filter answers; empty for those
   * that reach the kernel.
   *
   * @param runtime proof that the libraries are loaded
   */
  public static Map<String, String> filtered(NativeRuntime runtime) {
    Map<String, String> filtered = new LinkedHashMap<>();
    ask(runtime, "bpf", "jebpf_reaches_bpf", filtered);
    ask(runtime, "perf_event_open", "jebpf_reaches_perf", filtered);
    ask(runtime, "process_vm_readv", "jebpf_reaches_vm_read", filtered);
    return filtered;
  }

  private static void ask(
      NativeRuntime runtime, String call, String function, Map<String, String> into) {
    long result = Downcall.call(Downcall.function(runtime.helper(function)));
    if (result < 0) {
      into.put(call, Errno.text((int) -result));
    }
  }
}
