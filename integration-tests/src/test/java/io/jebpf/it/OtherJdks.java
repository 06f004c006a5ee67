package io.jebpf.it;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jebpf.it.harness.Locations;
import java.nio.file.Path;
import java.util.Optional;

/** JDKs beside that of the tests. */
final class OtherJdks {
  private OtherJdks() {}

  /** The home of one of such a release; without one the test is skipped. */
  static Path require(int release) {
    Optional<Path> home = Locations.jdk(release);
    assumeTrue(
        home.isPresent(),
        () -> "no JDK " + release + " under /usr/lib/jvm, nor from build/fetch-jdks.sh");
    return home.get();
  }
}
