package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.workload.ShareLoad;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The reference reader reads what we write, as it is. */
@Beside
@KernelTest
class GoToolTest {
  @TempDir Path directory;

  @Test
  void goToolPprofReadsEveryFile() throws Exception {
    Tools.need("go");
    ChildResult result =
        ChildJvm.in(directory)
            .agent("cpu=499,budget=100%,window=4s")
            .main(ShareLoad.class, "plain", 1, 3, directory.resolve("cpu.log"))
            .run(Deadlines.RUN_SECONDS);
    Profiles.assertRules(result);
    boolean named =
        false; // the work starts in the middle of one window and ends in that of another
    for (Path file : result.profileFiles()) {
      Tools.Outcome top =
          Tools.run(directory, "go", "tool", "pprof", "-top", "-lines", file.toString());
      assertEquals(0, top.exitCode(), top::output);
      String kind = file.getFileName().toString().replaceFirst("-.*", "");
      assertTrue(top.output().contains("Type: " + kind), top::output);
      Tools.Outcome raw = Tools.run(directory, "go", "tool", "pprof", "-raw", file.toString());
      assertEquals(0, raw.exitCode(), raw::output);
      String types =
          switch (kind) {
            case "cpu" -> "samples/count cpu/nanoseconds";
            case "offcpu" -> "waits/count offcpu/nanoseconds";
            default -> kind + "/nanoseconds";
          };
      assertTrue(raw.output().contains(types), raw::output);
      named |=
          top.output().contains("ShareLoad.java:") && raw.output().contains("ShareLoad.burn60");
    }
    assertTrue(named, "methods and lines of the workload in no profile");
  }
}
