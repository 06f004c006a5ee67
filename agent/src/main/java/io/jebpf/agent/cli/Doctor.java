package io.jebpf.agent.cli;

import io.jebpf.bpf.FeatureProbes;
import io.jebpf.bpf.FeatureProbes.Feature;
import io.jebpf.bpf.NativeLoadException;
import io.jebpf.bpf.NativeRuntime;
import io.jebpf.bpf.Support;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Command {@code doctor}: asks this kernel, as this user, for each thing the profiler needs. */
final class Doctor {
  private Doctor() {}

  static int run(PrintStream out) {
    out.println("kernel: Linux " + System.getProperty("os.version"));
    out.println("java: " + System.getProperty("java.vm.version"));
    Map<Feature, Support> found;
    try {
      Path temporary = Path.of(System.getProperty("java.io.tmpdir", "/tmp"));
      found = FeatureProbes.run(NativeRuntime.load(List.of(temporary, Path.of("/dev/shm"))));
    } catch (NativeLoadException e) {
      out.println("[no ] native libraries: " + e.getMessage());
      return Commands.FAILED;
    }
    out.println("[yes] native libraries");
    boolean missing = false;
    for (Map.Entry<Feature, Support> entry : found.entrySet()) {
      out.println(line(entry.getKey(), entry.getValue()));
      missing |= entry.getValue() instanceof Support.No;
    }
    out.println(kernelSymbols());
    out.println(
        missing
            ? "something is missing: the profiler cannot run as this user here"
            : "the profiler can run as this user here");
    return missing ? Commands.FAILED : Commands.OK;
  }

  static String line(Feature feature, Support support) {
    return switch (support) {
      case Support.Yes yes -> "[yes] " + feature.sentence();
      case Support.No no -> "[no ] " + feature.sentence() + ": needs " + no.needs();
      case Support.Undetermined unknown -> "[ ? ] " + feature.sentence() + ": " + unknown.cause();
    };
  }

  /** Names only: the profiler runs without them. */
  private static String kernelSymbols() {
    String what = "names of kernel functions";
    try (Stream<String> lines = Files.lines(Path.of("/proc/kallsyms"))) {
      boolean hidden = lines.limit(1000).allMatch(line -> line.startsWith("0000000000000000 "));
      return hidden
          ? "[no ] " + what + ": needs CAP_SYSLOG or kernel.kptr_restrict=0 (optional)"
          : "[yes] " + what;
    } catch (IOException e) {
      return "[ ? ] " + what + ": " + e;
    }
  }
}
