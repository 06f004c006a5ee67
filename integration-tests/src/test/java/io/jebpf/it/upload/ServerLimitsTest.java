package io.jebpf.it.upload;

import static io.jebpf.it.upload.Uploads.at;
import static io.jebpf.it.upload.Uploads.now;
import static io.jebpf.it.upload.Uploads.weight;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.options.OptionsBuilder;
import io.jebpf.agent.options.ServerKind;
import io.jebpf.it.Beside;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.receiver.HttpReceiver;
import io.jebpf.it.receiver.ParcaReceiver;
import io.jebpf.it.receiver.PyroscopeReceiver;
import io.jebpf.it.receiver.Received;
import io.jebpf.it.receiver.SenderHarness;
import io.jebpf.it.receiver.SyntheticProfiles;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Profiles at and above what the servers take. */
@Beside
class ServerLimitsTest {
  private static final long HOUR = 3_600_000;
  @TempDir private Path directory;

  @Test
  void aProfileAbovePyroscopesLimitsGoesInPartsAndNothingIsMissing() throws Exception {
    PyroscopeReceiver pyroscope = new PyroscopeReceiver();
    ParcaReceiver parca = new ParcaReceiver();
    try (HttpReceiver one = HttpReceiver.start(pyroscope);
        HttpReceiver two = HttpReceiver.start(parca)) {
      SenderHarness harness =
          new SenderHarness(directory, at(ServerKind.PYROSCOPE, one), at(ServerKind.PARCA, two));
      long start = now();
      byte[] large = SyntheticProfiles.cpu(start, 20_000, 120, 20_000, Map.of());
      harness.sender().put("cpu", start, large);
      harness.drain(HOUR);
      assertEquals(List.of(), pyroscope.refusals());
      assertEquals(List.of(), parca.refusals());
      long whole = weight(List.of(new Received(Map.of(), "", Profile.of(large))));
      assertEquals(whole, weight(pyroscope.received()));
      assertEquals(whole, weight(parca.received()));
      assertTrue(pyroscope.received().size() >= 2, "one part has 16,000 samples at most");
      assertEquals(
          pyroscope.received().size(),
          pyroscope.received().stream().map(Received::id).distinct().count());
      assertEquals(1, harness.figure("pyroscope.sent"));
      harness.end();
    }
  }

  /** What is above the bucket of the rate's limit would be answered 429 for ever. */
  @Test
  void eachPartPassesPyroscopesLimitOfTheRate() throws Exception {
    PyroscopeReceiver pyroscope = new PyroscopeReceiver();
    try (HttpReceiver http = HttpReceiver.start(pyroscope)) {
      SenderHarness harness = new SenderHarness(directory, at(ServerKind.PYROSCOPE, http));
      long start = now();
      byte[] wide = SyntheticProfiles.cpu(start, 3_000, 900, 1, Map.of());
      harness.sender().put("cpu", start, wide);
      harness.drain(HOUR);
      assertEquals(List.of(), pyroscope.refusals());
      assertEquals(
          weight(List.of(new Received(Map.of(), "", Profile.of(wide)))),
          weight(pyroscope.received()));
      assertTrue(pyroscope.received().size() > 2, "2.7 MB before compression");
      harness.end();
    }
  }

  @Test
  void aStackThatIsTooDeepIsCutAtItsRoot() throws Exception {
    PyroscopeReceiver pyroscope = new PyroscopeReceiver();
    try (HttpReceiver http = HttpReceiver.start(pyroscope)) {
      SenderHarness harness = new SenderHarness(directory, at(ServerKind.PYROSCOPE, http));
      long start = now();
      byte[] deep = SyntheticProfiles.cpu(start, 50, 1500, 1, Map.of());
      harness.sender().put("cpu", start, deep);
      harness.drain(HOUR);
      assertEquals(List.of(), pyroscope.refusals());
      Profile before = Profile.of(deep);
      Profile after = pyroscope.received().get(0).profile();
      assertEquals(1000, after.stacks().get(0).frames().size());
      assertEquals("[stack cut for the server]", after.stacks().get(0).root().function());
      Set<String> leaves = new HashSet<>();
      before.stacks().forEach(stack -> leaves.add(stack.frames().get(0).function()));
      after.stacks().forEach(stack -> assertTrue(leaves.remove(stack.frames().get(0).function())));
      assertEquals(Set.of(), leaves);
      harness.end();
    }
  }

  /**
   * Two answers that look like "not now" and are not: Pyroscope has stored a part of the profile
   * when it has no room for more series, so that each try more would count that part again; and a
   * message above a server's limit is above it for ever.
   */
  @Test
  void whatCannotBeTakenLaterEitherIsNotTriedAgain() throws Exception {
    PyroscopeReceiver pyroscope = new PyroscopeReceiver();
    ParcaReceiver parca = new ParcaReceiver();
    pyroscope.answerAlways(
        PyroscopeReceiver.error(
            429,
            "resource_exhausted",
            "push series with index 0 and id 1 failed: Maximum active series limit exceeded"
                + " (5000/5000), reduce the number of active streams"));
    parca.answerAlways(
        ParcaReceiver.grpc(8, "grpc: received message larger than max (5000000 vs. 4194304)"));
    try (HttpReceiver one = HttpReceiver.start(pyroscope);
        HttpReceiver two = HttpReceiver.start(parca)) {
      SenderHarness harness =
          new SenderHarness(directory, at(ServerKind.PYROSCOPE, one), at(ServerKind.PARCA, two));
      harness.put(2, now());
      harness.drain(HOUR);
      for (String server : List.of("pyroscope", "parca")) {
        assertEquals(2, harness.figure(server + ".dropped_refused"), server);
        assertEquals(2, harness.figure(server + ".requests"), server);
        assertEquals("", harness.imbalance(server));
      }
      pyroscope.answerAlways(null);
      parca.answerAlways(null);
      harness.put(1, now());
      harness.drain(HOUR);
      assertEquals(1, harness.figure("pyroscope.sent"));
      assertEquals(1, harness.figure("parca.sent"));
      harness.end();
    }
  }

  /** Pyroscope takes 30 labels of a series; its name and the user's own are not the ones to go. */
  @Test
  void ofTooManyLabelsThoseOfThePlaceGoFirst() throws Exception {
    Map<String, String> own = new TreeMap<>();
    for (int i = 10; i < 25; i++) {
      own.put("own_" + i, "v" + i);
    }
    PyroscopeReceiver pyroscope = new PyroscopeReceiver();
    try (HttpReceiver http = HttpReceiver.start(pyroscope)) {
      SenderHarness harness =
          new SenderHarness(
              new OptionsBuilder("many").labels(own),
              directory,
              256L << 20,
              10_000,
              at(ServerKind.PYROSCOPE, http));
      harness.put(1, now());
      harness.drain(HOUR);
      assertEquals(List.of(), pyroscope.refusals());
      Map<String, String> series = pyroscope.received().get(0).series();
      own.forEach((key, value) -> assertEquals(value, series.get(key), key));
      assertEquals("many", series.get("service_name"));
      assertTrue(series.get("instance").startsWith("pod-1:"));
      assertTrue(harness.figure("pyroscope.labels_folded") > 0);
      harness.end();
    }
  }

  /** Pyroscope refuses a whole profile for one label that is too long. */
  @Test
  void aLongLabelIsCut() throws Exception {
    PyroscopeReceiver pyroscope = new PyroscopeReceiver();
    try (HttpReceiver http = HttpReceiver.start(pyroscope)) {
      SenderHarness harness = new SenderHarness(directory, at(ServerKind.PYROSCOPE, http));
      long start = now();
      String wait = "monitor of " + "\u00e9".repeat(3_000);
      harness
          .sender()
          .put("cpu", start, SyntheticProfiles.labelled(start, 3, i -> Map.of("wait", wait)));
      harness.drain(HOUR);
      assertEquals(List.of(), pyroscope.refusals());
      assertEquals(1, harness.figure("pyroscope.sent"));
      harness.end();
    }
  }
}
