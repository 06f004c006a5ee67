package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.workload.BusyLoad;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Names of kernel functions for a JVM from which /proc/kallsyms hides the addresses. */
@Beside
@KernelTest
class KernelSymbolsTest {
  private static final String KERNEL = "[kernel.kallsyms]";
  private static final String[] WITHOUT_SYSLOG = {"setpriv", "--bounding-set=-syslog"};

  @TempDir Path directory;

  @Test
  void hiddenKallsymsCostNoNames() throws Exception {
    Tools.need("setpriv");
    Tools.Outcome seen =
        Tools.run(
            directory,
            WITHOUT_SYSLOG[0],
            WITHOUT_SYSLOG[1],
            "sh",
            "-c",
            "cut -c1-16 /proc/kallsyms | sort -u | head -3");
    Assumptions.assumeTrue(
        seen.output().strip().equals("0".repeat(16)),
        "skipped: kernel.perf_event_paranoid shows kallsyms to everybody");

    ChildResult result =
        ChildJvm.in(directory)
            .quick()
            .agent("window=1h")
            .prefix(WITHOUT_SYSLOG)
            .main(BusyLoad.class, 1)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    assertFalse(result.stderr().contains("kernel symbols"), result::toString);
    assertTrue(result.stderr().contains("jebpf"), result::toString);

    Map<String, Long> functions = new HashMap<>();
    for (Profile profile : result.profiles("wall")) { // where it ran and where it waited
      for (Profile.Stack stack : profile.stacks()) {
        for (Profile.Frame frame : stack.frames()) {
          if (frame.module().equals(KERNEL)) {
            functions.merge(frame.function(), 1L, Long::sum);
          }
        }
      }
    }
    assertTrue(functions.size() > 5, () -> functions + "\n" + result);
    assertTrue(functions.containsKey("do_syscall_64"), functions::toString);
    Set<String> known = kallsyms();
    Assumptions.assumeFalse(known.isEmpty(), "kallsyms hides its addresses from this test too");
    functions.keySet().removeAll(known);
    functions.keySet().removeIf(name -> name.startsWith("bpf_prog_")); // the child's, gone with it
    assertEquals(Map.of(), functions, "not in kallsyms");
  }

  /** All names; empty where the addresses are hidden: then there is nothing to compare with. */
  private static Set<String> kallsyms() throws Exception {
    try (Stream<String> lines = Files.lines(Path.of("/proc/kallsyms"))) {
      return lines
          .filter(line -> !line.startsWith("0".repeat(16)))
          .map(line -> line.split("\\s+")[2])
          .collect(Collectors.toSet());
    }
  }
}
