package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.bpf.FeatureProbes.Feature;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeatureProbesTest {
  private static final String ALL_CAPABILITIES = "000001ffffffffff";

  @TempDir Path root;

  /** Results of native calls by name; what is not here succeeds. */
  private final Map<String, Integer> results = new HashMap<>();

  @BeforeEach
  void healthyHost() throws IOException {
    Files.createDirectories(root.resolve("proc/self"));
    Files.createDirectories(root.resolve("sys/kernel/btf"));
    Files.createDirectories(root.resolve("sys/devices/system/cpu"));
    Files.writeString(root.resolve("sys/kernel/btf/vmlinux"), "btf");
    Files.writeString(root.resolve("sys/devices/system/cpu/online"), "0-3\n");
    Files.writeString(root.resolve("proc/self/uid_map"), "         0          0 4294967295\n");
    status(ALL_CAPABILITIES, 0);
    results.put("probeProgram", 1);
    results.put("probeHelper", 1);
    results.put("vmRead", 1);
    results.put("pageSize", 4096);
  }

  private void status(String capabilities, int seccomp) throws IOException {
    Files.writeString(
        root.resolve("proc/self/status"),
        "Name:\tjava\nCapEff:\t%s\nSeccomp:\t%d\n".formatted(capabilities, seccomp));
  }

  private <T> T scripted(Class<T> type) {
    return type.cast(
        Proxy.newProxyInstance(
            FeatureProbesTest.class.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              int result = results.getOrDefault(method.getName(), 7);
              return method.getReturnType() == long.class ? (Object) (long) result : result;
            }));
  }

  private Map<Feature, Support> run() {
    return new FeatureProbes(scripted(KernelCalls.class), scripted(BpfCalls.class), root).run();
  }

  private static String needs(Support support) {
    return assertInstanceOf(Support.No.class, support).needs();
  }

  private static String cause(Support support) {
    return assertInstanceOf(Support.Undetermined.class, support).cause();
  }

  @Test
  void aHealthyHostHasAll() {
    Map<Feature, Support> found = run();
    assertEquals(Feature.values().length, found.size());
    found.forEach((feature, support) -> assertTrue(support.yes(), feature + ": " + support));
  }

  @Test
  void missingRightsAreNamedAndWhatDependsOnThemIsUndetermined() throws IOException {
    status("0000000000000000", 0);
    results.put("mapCreate", -Errno.EPERM);
    results.put("perfOpen", -Errno.EACCES);
    results.put("probeProgram", 0);
    Map<Feature, Support> found = run();
    assertEquals(
        "CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN)", needs(found.get(Feature.CAPABILITIES)));
    assertTrue(needs(found.get(Feature.BPF)).contains("CAP_BPF"));
    assertTrue(needs(found.get(Feature.CPU_CLOCK)).contains("perf_event_paranoid"));
    assertTrue(cause(found.get(Feature.RING_BUFFER)).startsWith("not tried"));
    assertTrue(cause(found.get(Feature.LOOP)).contains("CAP_BPF"));
    assertTrue(cause(found.get(Feature.TASK_REGISTERS)).contains("CAP_BPF"));
    status("0000004000000000", 0); // CAP_PERFMON
    assertEquals("CAP_BPF (or CAP_SYS_ADMIN)", needs(run().get(Feature.CAPABILITIES)));
    status("000000c000000000", 0); // CAP_BPF and CAP_PERFMON
    assertTrue(run().get(Feature.CAPABILITIES).yes());
  }

  @Test
  void aSeccompRefusalIsToldFromMissingRights() throws IOException {
    results.put("mapCreate", -Errno.EPERM);
    results.put("perfOpen", -Errno.EPERM);
    results.put("vmRead", -Errno.EPERM);
    status(ALL_CAPABILITIES, 2);
    assertEquals("a seccomp profile that allows bpf()", needs(run().get(Feature.BPF)));
    assertEquals(
        "a seccomp profile that allows perf_event_open()", needs(run().get(Feature.CPU_CLOCK)));
    assertTrue(needs(run().get(Feature.OWN_MEMORY)).contains("process_vm_readv"));
    status(ALL_CAPABILITIES, 0);
    assertTrue(needs(run().get(Feature.BPF)).contains("security module"));
  }

  @Test
  void rightsInAnotherUserNamespaceDoNotCount() throws IOException {
    Files.writeString(root.resolve("proc/self/uid_map"), "0 1000 1\n");
    assertTrue(needs(run().get(Feature.CAPABILITIES)).contains("initial user namespace"));
  }

  @Test
  void aKernelWithoutIsNotAKernelThatWasNotAsked() throws IOException {
    Files.delete(root.resolve("sys/kernel/btf/vmlinux"));
    results.put("probeHelper", 0);
    results.put("perfOpen", -Errno.ENOENT);
    Map<Feature, Support> found = run();
    assertTrue(needs(found.get(Feature.BTF)).contains("CONFIG_DEBUG_INFO_BTF"));
    assertTrue(needs(found.get(Feature.LOOP)).contains("181"));
    assertTrue(needs(found.get(Feature.CPU_CLOCK)).contains("clock events"));
    results.put("probeHelper", -Errno.ENOMEM);
    results.put("mapCreate", -Errno.ENOMEM);
    found = run();
    assertTrue(cause(found.get(Feature.BPF)).contains("ENOMEM (12)"));
    assertTrue(cause(found.get(Feature.LOOP)).contains("ENOMEM (12)"));
    Files.delete(root.resolve("proc/self/status"));
    Files.delete(root.resolve("sys/devices/system/cpu/online"));
    found = run();
    assertTrue(cause(found.get(Feature.CAPABILITIES)).contains("/proc/self/status"));
    assertTrue(cause(found.get(Feature.CPU_CLOCK)).contains("online CPUs"));
  }

  @Test
  void theRealKernelWithoutRights() {
    ChildJvm child =
        ChildJvm.run(List.of("setpriv", "--inh-caps=-all", "--bounding-set=-all"), ProbeMain.class);
    Assumptions.assumeTrue(child.exit() == 0, "needs setpriv and root: " + child.err().strip());
    child.clean();
    assertTrue(child.out().contains("CAPABILITIES No[needs=CAP_BPF and CAP_PERFMON"), child.out());
    assertTrue(child.out().contains("\nBPF No["), child.out());
    assertTrue(child.out().contains("RING_BUFFER Undetermined["), child.out());
    assertTrue(child.out().contains("LOOP Undetermined["), child.out());
    assertTrue(child.out().contains("OWN_MEMORY Yes["), child.out());
  }

  @Test
  void theRealKernelInAUserNamespace() {
    ChildJvm child = ChildJvm.run(List.of("unshare", "-Ur"), ProbeMain.class);
    Assumptions.assumeTrue(child.exit() == 0, "needs user namespaces: " + child.err().strip());
    child.clean();
    assertTrue(
        child.out().contains("CAPABILITIES No[needs=the capabilities in the initial"), child.out());
    assertTrue(child.out().contains("\nBPF No["), child.out());
  }

  /** Prints the outcome of each probe. */
  static final class ProbeMain {
    private ProbeMain() {}

    public static void main(String[] arguments) {
      FeatureProbes.run(Kernel.runtime()).forEach((f, s) -> System.out.println(f + " " + s));
    }
  }
}
