package io.jebpf.it.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an application can notice of the real agent, whether it may sample or not. */
final class HostViewTest {
  private static final int PREMAIN_MILLIS_MAX = 100;
  private static final int RUNS = 7;

  /** Classes and resources of the jar, by the names that they have in our module. */
  private static final Object[] NAMES = {
    "view",
    "io.jebpf.agent.AgentMain",
    "io.jebpf.boot.Boot",
    "io.jebpf.bpf.NativeRuntime",
    "io.jebpf.symbolizer.Symbolizer",
    "io.jebpf.shaded.xz.XZInputStream",
    "org.tukaani.xz.XZInputStream",
    "com.google.protobuf.Message",
    "io/jebpf/agent/AgentMain.class",
    "io/jebpf/bpf/jebpf.bpf.o",
    "META-INF/licenses/libbpf.txt"
  };

  @TempDir Path directory;

  @Test
  void theApplicationSeesTheSameWithAndWithoutTheAgent() throws IOException {
    ChildResult without = Probe.host(directory, NAMES).run(20);
    ChildResult with = Probe.host(directory, NAMES).agent("").run(30);
    assertEquals(0, with.exitCode(), with.toString());
    assertTrue(with.stdout().contains("io.jebpf.agent.AgentMain: no class\n"), with.toString());
    assertEquals(without.stdout(), with.stdout());
  }

  @Test
  void exitCodeAndOutputStayAsTheyAre() throws IOException {
    ChildResult with = Probe.host(directory, "hello").agent("").run(30);
    assertEquals(7, with.exitCode(), with.toString());
    assertEquals("hello\n", with.stdout());
  }

  @Test
  void nothingOfTheJdkWarnsAboutUs() throws IOException {
    ChildResult with = Probe.host(directory, "view").agent("").run(30);
    assertTrue(with.stderr().lines().allMatch(line -> line.startsWith("jebpf")), with.toString());
  }

  /**
   * From the start of the process to main, the fastest of runs in turn with and without the agent:
   * other load only ever adds. An agent that does nothing costs the JVM about 25 ms already.
   */
  @Test
  void premainReturnsAtOnce() throws IOException {
    long with = Long.MAX_VALUE;
    long without = Long.MAX_VALUE;
    ChildJvm plain = Probe.host(directory, "clock");
    ChildJvm profiled = Probe.host(directory, "clock").agent("");
    for (int i = 0; i < RUNS; i++) {
      without = Math.min(without, startMillis(plain));
      with = Math.min(with, startMillis(profiled));
    }
    System.out.println(
        "main is reached after " + without + " ms, with the agent after " + with + " ms");
    assertTrue(with - without <= PREMAIN_MILLIS_MAX, with - without + " ms later");
  }

  private static long startMillis(ChildJvm child) {
    long started = System.currentTimeMillis();
    return child.run(30).value("main") - started;
  }
}
