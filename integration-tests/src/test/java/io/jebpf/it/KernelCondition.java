package io.jebpf.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Whether this process may load BPF programs, told from its effective capabilities. */
final class KernelCondition implements ExecutionCondition {
  private static final int CAP_SYS_ADMIN = 21;
  private static final int CAP_PERFMON = 38;
  private static final int CAP_BPF = 39;
  private static final Path BTF = Path.of("/sys/kernel/btf/vmlinux");

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    String reason = reasonToSkip();
    return reason.isEmpty()
        ? ConditionEvaluationResult.enabled("may load BPF programs")
        : ConditionEvaluationResult.disabled(reason);
  }

  private static String reasonToSkip() {
    if (!Files.isReadable(BTF)) {
      return "kernel test skipped: " + BTF + " is missing, this kernel has no BTF";
    }
    long capabilities = effectiveCapabilities();
    boolean enough =
        has(capabilities, CAP_SYS_ADMIN)
            || has(capabilities, CAP_BPF) && has(capabilities, CAP_PERFMON);
    return enough
        ? ""
        : "kernel test skipped: needs CAP_BPF and CAP_PERFMON (run as root); the effective"
            + " capabilities are "
            + Long.toHexString(capabilities);
  }

  private static boolean has(long capabilities, int bit) {
    return (capabilities >> bit & 1) == 1;
  }

  private static long effectiveCapabilities() {
    try {
      return Files.readAllLines(Path.of("/proc/self/status")).stream()
          .filter(line -> line.startsWith("CapEff:"))
          .mapToLong(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }
}
