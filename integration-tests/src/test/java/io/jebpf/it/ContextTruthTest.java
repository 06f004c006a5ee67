package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.context.SpanLoad;
import io.jebpf.it.context.SpanTruth;
import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.Locations;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whether samples carry the span they were taken under: each stack of the program says which. The
 * short slice; {@code integration-tests/context-truth.sh} runs it for 200,000 samples.
 */
@Beside
@KernelTest
class ContextTruthTest {
  private static final double CARRIED_MIN = 0.999;

  @TempDir Path directory;

  @Test
  void noSampleCarriesAnotherSpan() {
    ChildResult result =
        ChildJvm.in(directory)
            .agent("cpu=1500,window=2s,budget=1000%,disk=1g")
            .jvm("-Xmx512m", "-Xverify:all")
            .classPath(Locations.classes() + ":" + Locations.application("opentelemetry"))
            .main(SpanLoad.class, 6, 200, 10_000, 100_000)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    SpanTruth cpu = SpanTruth.of(result.profiles());
    SpanTruth waits = SpanTruth.of(result.profiles("offcpu"));
    String told = "running: " + cpu + "; waiting: " + waits;
    assertTrue(cpu.inside() > 500 && waits.inside() > 100, told + result);
    assertEquals(0, cpu.wrong() + waits.wrong(), told);
    assertTrue(cpu.carried() >= CARRIED_MIN * cpu.inside(), told);
    assertTrue(waits.carried() >= CARRIED_MIN * waits.inside(), told);
  }
}
