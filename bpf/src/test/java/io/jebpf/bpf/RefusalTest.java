package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a user sees when the kernel refuses, and that none of it goes to stderr by itself. */
class RefusalTest {
  @Test
  void noObjectFileAtAll() {
    KernelException refusal =
        assertThrows(
            KernelException.class, () -> KernelObject.open(Kernel.runtime(), new byte[100]));
    assertTrue(
        refusal.getMessage().startsWith("bpf_object__open(jebpf, 100 bytes) failed: "),
        refusal.getMessage());
    assertTrue(refusal.errno() > 0);
    assertFalse(refusal.log().isEmpty());
  }

  @Test
  @Tag("kernel")
  void theVerifierSpeaksThroughTheExceptionOnly() {
    Kernel.require();
    ChildJvm child = ChildJvm.run(List.of(), RefusedMain.class).clean();
    List<String> lines = child.out().lines().toList();
    assertEquals(
        "bpf_object__load(jebpf) failed: EACCES (13); the kernel's verifier refuses the program."
            + " Please report its log with `uname -r`",
        lines.get(0));
    assertEquals("missing rights false", lines.get(1));
    assertTrue(child.out().contains("invalid access to map value"), child.out());
    assertTrue(child.out().length() > 50_000 && child.out().length() < 66_000, "the log's end");
  }

  @Test
  void withoutRightsTheLineNamesThem() {
    ChildJvm child =
        ChildJvm.run(
            List.of("setpriv", "--inh-caps=-all", "--bounding-set=-all"), RefusedMain.class);
    if (child.exit() == 127 || child.err().startsWith("setpriv")) {
      child = ChildJvm.run(List.of(), RefusedMain.class); // we have no rights ourselves
    }
    child.clean();
    assertTrue(
        child.out().startsWith("bpf_object__load(jebpf) failed: EPERM (1); kernel.unprivileged_"),
        child.out());
    assertTrue(child.out().contains("Grant CAP_BPF and CAP_PERFMON"), child.out());
    assertTrue(child.out().contains("missing rights true"), child.out());
  }

  /** Tries to load what the verifier refuses; prints the line and the log. */
  static final class RefusedMain {
    private RefusedMain() {}

    public static void main(String[] arguments) throws Exception {
      byte[] elf;
      try (InputStream in = RefusalTest.class.getResourceAsStream("refused.bpf.o")) {
        elf = in.readAllBytes();
      }
      try (KernelObject object = KernelObject.open(Kernel.runtime(), elf)) {
        object.load();
      } catch (KernelException e) {
        System.out.println(e.getMessage());
        System.out.println("missing rights " + e.missingRights());
        System.out.println(e.log());
      }
    }
  }
}
