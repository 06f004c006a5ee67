package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.pprof.Profile;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which waits are idle: of the pools that are in use everywhere, as they are. */
@KernelTest
class IdleTest {
  private static final double ALL = 0.95;

  @TempDir Path directory;

  private record Times(double idle, double all) {
    Times plus(double nanos, boolean isIdle) {
      return new Times(idle + (isIdle ? nanos : 0), all + nanos);
    }
  }

  @Test
  void poolsWithoutWorkAreIdle() {
    Path source = Locations.module().resolve("src/test/pools/Pools.java");
    ChildResult result =
        ChildJvm.in(directory)
            .agent("window=2s,budget=100%,offcpu.idle=true")
            .classPath(Locations.application("pools") + ":" + Locations.application("kafka"))
            .program(source.toString(), 7)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Map<String, Times> threads = new TreeMap<>();
    for (Profile profile : result.profiles("offcpu")) {
      for (Profile.Stack stack : profile.stacks()) {
        boolean idle = "true".equals(stack.labels().get("idle"));
        double asleep = stack.values()[1];
        threads.merge(
            stack.thread(), new Times(0, 0).plus(asleep, idle), (a, b) -> a.plus(b.all(), idle));
      }
    }
    for (String pool :
        new String[] {"ForkJoinPool-", "pool-fixed", "pool-scheduled", "pool-netty", "http-nio-"}) {
      Times sum = new Times(0, 0);
      for (Map.Entry<String, Times> thread : threads.entrySet()) {
        if (thread.getKey().startsWith(pool)) {
          Times times = thread.getValue();
          sum = new Times(sum.idle() + times.idle(), sum.all() + times.all());
        }
      }
      assertTrue(sum.all() > 1e9, pool + " waited " + sum + " of " + threads.keySet());
      assertTrue(sum.idle() >= ALL * sum.all(), pool + ": " + sum);
    }
    Times answer = threads.get("waits-for-an-answer");
    assertEquals(0, answer.idle(), "who waits for an answer has work");
    assertTrue(answer.all() > 1e9, answer::toString);
  }
}
