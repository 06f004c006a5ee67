package io.jebpf.agent.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.engine.Lack.Ability;
import io.jebpf.bpf.FeatureProbes.Feature;
import io.jebpf.bpf.Support;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
  private static final Trial FULL = new Trial(Trial.Step.FULL, List.of(), "tried", "");
  private static final Trial OFF = new Trial(Trial.Step.OFF, List.of(), "refused", "do this");

  @TempDir private Path root;

  private Report report(Trial trial, Finding... findings) {
    return new Report("1.2", new Machine(root), List.of(findings), trial);
  }

  @Test
  void theExitCodeIsTheWorstThatMatters() {
    Finding yes = Finding.yes("a", "a", "fine");
    Finding less = Finding.less("b", "b", "not fine");
    Finding unknown = Finding.unknown("c", "c", "not tried");
    assertEquals(Doctor.FULL, Doctor.exit(List.of(yes, unknown), FULL));
    assertEquals(Doctor.LESS, Doctor.exit(List.of(yes, less), FULL));
    assertEquals(Doctor.OFF, Doctor.exit(List.of(yes), OFF));
    Trial cpu = new Trial(Trial.Step.CPU_ONLY, List.of(Ability.WAITS), "waits", "");
    assertEquals(Doctor.LESS, Doctor.exit(List.of(yes), cpu));
  }

  @Test
  void remediesStandBelowTheirFinding() {
    String text =
        report(FULL, Finding.no("a", "a thing", "is missing", Remedy.systemd("X=y"))).text();
    assertTrue(text.contains("[no  ] a thing: is missing\n         systemd     X=y\n"), text);
    assertTrue(text.contains("A JVM started here would reach: full"), text);
  }

  @Test
  void textsInJsonAreEscaped() {
    String json = report(OFF, Finding.yes("a", "say \"hi\" \\ ", "line\none\ttab")).json();
    assertTrue(json.contains("\"say \\\"hi\\\" \\\\ \""), json);
    assertTrue(json.contains("\"line\\none\\u0009tab\""), json);
    assertTrue(json.contains("\"exit\": 1,"), json);
  }

  @Test
  void whatIsMissingHasNamesForPrograms() {
    List<Ability> missing = List.of(Ability.WAITS, Ability.KERNEL_SYMBOLS);
    Trial less = new Trial(Trial.Step.CPU_ONLY, missing, "waits (refused)", "");
    String json = report(less).json();
    assertTrue(json.contains("\"missing\": [\"waits\", \"kernel-symbols\"]"), json);
    assertTrue(report(FULL).json().contains("\"missing\": []"));
  }

  @Test
  void aFeatureIsBlamedOnTheKernelOnlyWithAllRights() {
    Support no = new Support.No("Linux 5.8");
    assertEquals(Finding.Verdict.NO, Examination.feature(Feature.RING_BUFFER, no, true).verdict());
    assertEquals(
        Finding.Verdict.UNKNOWN, Examination.feature(Feature.RING_BUFFER, no, false).verdict());
  }

  @Test
  void whatTheMachineSays() throws IOException {
    write("proc/sys/kernel/osrelease", "5.14.0-503.el9.x86_64\n");
    write("proc/self/status", "Uid:\t1000\t1000\t1000\t1000\nSeccomp:\t2\n");
    write("proc/self/uid_map", "         0       1000          1\n");
    write(
        "proc/self/mountinfo",
        """
        20 1 0:18 / / rw - ext4 /dev/vda rw
        21 20 0:19 / /tmp ro,noexec - tmpfs tmpfs rw
        22 20 0:20 / /sys/kernel/btf rw - tmpfs tmpfs rw
        """);
    Path namespaces = Files.createDirectories(root.resolve("proc/self/ns"));
    Files.createSymbolicLink(namespaces.resolve("pid"), Path.of("pid:[4026532177]"));
    Machine machine = new Machine(root);
    assertEquals(5014, machine.kernelVersion());
    assertEquals(1000, machine.uid());
    assertTrue(machine.isPidNamespace() && machine.isSeccomp());
    assertTrue(!machine.isInitialUserNamespace() && !machine.hasBpf());
    assertEquals("/tmp mounted ro,noexec", machine.mount("/tmp/jebpf/x"));
    assertEquals("/ mounted rw", machine.mount("/tmpx"));
    assertEquals("/sys/kernel/btf", machine.mountBelow("/sys/kernel/btf").orElseThrow());
  }

  private void write(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }
}
