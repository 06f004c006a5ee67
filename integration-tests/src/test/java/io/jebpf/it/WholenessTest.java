package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.Applications;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.pprof.Picture;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real applications: stacks reach the root of their thread, frames have names, nothing is lost. */
@KernelTest
class WholenessTest {
  private static final double ROOT_SHARE_MIN = 0.99;
  private static final double NAMED_SHARE_MIN = 0.995;

  @TempDir Path directory;

  @ParameterizedTest(name = "{0} Hz")
  @ValueSource(ints = {99, 999})
  void h2UnderMixedLoad(int hz) throws IOException {
    assertWhole(Applications.h2(directory, agent(hz), 12), hz * 3);
  }

  /** At the other rate in {@code make bench}, as Lucene is. */
  @ParameterizedTest(name = "{0} Hz")
  @ValueSource(ints = 999)
  void kafkaBrokerAndProducer(int hz) throws IOException {
    assertWhole(Applications.kafka(directory, agent(hz), 200_000), hz * 2);
  }

  @ParameterizedTest(name = "{0} Hz")
  @ValueSource(ints = 99)
  void luceneBenchmark(int hz) throws IOException {
    assertWhole(Applications.lucene(directory, agent(hz), 6), hz * 2);
  }

  private static String agent(int hz) {
    return "cpu=" + hz + ",budget=100%,window=4s";
  }

  private static void assertWhole(List<ChildResult> results, long samplesMin) {
    long samples = 0;
    for (ChildResult result : results) {
      Profiles.assertRules(result);
      Profiles.assertNothingLost(result);
      Picture picture = result.picture();
      samples += picture.samples();
      assertTrue(picture.rootShare() >= ROOT_SHARE_MIN, picture::troubles);
      assertTrue(picture.namedShare() >= NAMED_SHARE_MIN, picture::troubles);
      // Independent of the agent's own verdict: threads begin in libc (or in clone, for those of
      // the kernel's making).
      double rooted = picture.share(stack -> Roots.isRoot(stack.root().function()));
      assertTrue(
          rooted >= ROOT_SHARE_MIN,
          () ->
              "stacks that end in a thread's first function: "
                  + rooted
                  + "\n"
                  + picture.troubles());
    }
    long taken = samples;
    assertTrue(taken >= samplesMin, () -> taken + " samples, expected at least " + samplesMin);
  }
}
