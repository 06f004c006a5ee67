package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.pprof.Profile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which waits are idle: of the pools that are in use everywhere, as they are. */
@Beside
@KernelTest
class IdleTest {
  private static final double ALL = 0.95;
  private static final String KAFKA_SELECT = "org.apache.kafka.common.network.Selector.select";

  /** How their threads' names begin. */
  private static final List<String> POOLS =
      List.of(
          "ForkJoinPool-",
          "pool-fixed",
          "pool-scheduled",
          "pool-netty",
          "http-nio-",
          "kafka-producer-network-thread",
          "kafka-consumer");

  @TempDir Path directory;

  private record Times(double idle, double all) {
    Times plus(double nanos, boolean isIdle) {
      return new Times(idle + (isIdle ? nanos : 0), all + nanos);
    }

    Times plus(Times other) {
      return new Times(idle + other.idle, all + other.all);
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
        String kafka =
            stack.contains(KAFKA_SELECT) ? "" : " elsewhere"; // it sleeps before it retries
        threads.merge(
            stack.thread() + (stack.thread().startsWith("kafka-") ? kafka : ""),
            new Times(0, 0).plus(stack.values()[1], idle),
            Times::plus);
      }
    }
    for (String pool : POOLS) {
      Times sum =
          threads.entrySet().stream()
              .filter(thread -> thread.getKey().startsWith(pool))
              .filter(thread -> !thread.getKey().endsWith(" elsewhere"))
              .map(Map.Entry::getValue)
              .reduce(new Times(0, 0), Times::plus);
      assertTrue(sum.all() > 1e9, pool + " waited " + sum + " of " + threads.keySet());
      assertTrue(sum.idle() >= ALL * sum.all(), pool + ": " + sum);
    }
    Times answer = threads.get("waits-for-an-answer");
    assertEquals(0, answer.idle(), "who waits for an answer has work");
    assertTrue(answer.all() > 1e9, answer::toString);
  }
}
