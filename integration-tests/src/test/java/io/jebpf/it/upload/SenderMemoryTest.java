package io.jebpf.it.upload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.Beside;
import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.receiver.HttpReceiver;
import io.jebpf.it.receiver.ParcaReceiver;
import io.jebpf.it.receiver.PyroscopeReceiver;
import io.jebpf.it.receiver.SpoolMemory;
import io.jebpf.it.receiver.SyntheticProfiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A thousand profiles of 60 kB wait for two servers, and some are sent, in a JVM that has 16 MB for
 * everything: 12 of heap and 4 of buffers.
 */
@Beside
class SenderMemoryTest {
  @TempDir private Path directory;

  @Test
  void aThousandWaitingProfilesNeedLessThan16Megabytes() throws Exception {
    long start = System.currentTimeMillis() - 1_000_000;
    Path profile =
        Files.write(
            directory.resolve("profile"), SyntheticProfiles.cpu(start, 3_200, 60, 100, Map.of()));
    PyroscopeReceiver pyroscope = new PyroscopeReceiver();
    ParcaReceiver parca = new ParcaReceiver();
    try (HttpReceiver one = HttpReceiver.start(pyroscope);
        HttpReceiver two = HttpReceiver.start(parca)) {
      ChildResult result =
          ChildJvm.in(directory)
              .jvm("-Xmx12m", "-XX:MaxDirectMemorySize=4m", "-XX:+UseSerialGC")
              .classPath(
                  System.getProperty(
                      "io.jebpf.it.classpath", System.getProperty("java.class.path")))
              .main(SpoolMemory.class, directory, 1_000, one.url(), two.url(), 3, profile)
              .run(240);
      assertEquals(0, result.exitCode(), result::toString);
      assertTrue(result.value("bytes") > 50_000, result::toString);
      assertEquals(1_000, result.value("waited"), result::toString);
      assertTrue(result.value("sent") >= 1, result::toString);
    }
  }
}
