package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.bench.RecordingsCost;
import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.RunningJvm;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.workload.BusyLoad;
import io.jebpf.it.workload.FreePort;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A slice of {@code make recorder}: what the past takes in memory, and a dump while it goes on. */
@KernelTest
class RecorderTest {
  private static final double KEPT_SECONDS = 300;
  private static final double KEPT_BYTES_MAX = 16 << 20;
  private static final double SLICE_SECONDS = 10;

  /** The aim is 0.3 s, and is for a script on a quiet machine. */
  private static final double DUMP_SECONDS_MAX = 10;

  /** Of a core, for 19 recordings: ten times the aim, on a machine that does much beside. */
  private static final long MORE_MILLIONTHS_MAX = 100_000;

  @TempDir Path directory;

  @Test
  void fiveMinutesFitAndADumpStopsNothing() throws Exception {
    int port = FreePort.find();
    ChildJvm child =
        ChildJvm.in(directory)
            .withoutOut()
            .agent("out=off,window=2s,http=" + port)
            .main(BusyLoad.class, 600);
    try (RunningJvm jvm = child.start();
        HttpClient client = HttpClient.newHttpClient()) {
      jvm.awaitOutput("ready=1", Deadlines.RUN_SECONDS);
      String url = "http://127.0.0.1:" + port;
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(Deadlines.RUN_SECONDS);
      while (metric(client, url, "jebpf_history_seconds") < SLICE_SECONDS
          && System.nanoTime() < deadline) {
        Thread.sleep(200);
      }
      double seconds = metric(client, url, "jebpf_history_seconds");
      double bytes = metric(client, url, "jebpf_history_bytes");
      double whole = bytes / seconds * KEPT_SECONDS;
      assertTrue(seconds >= SLICE_SECONDS, () -> "kept: " + seconds + " s");
      assertTrue(whole <= KEPT_BYTES_MAX, () -> "5 minutes would take " + whole + " bytes");
      double before = metric(client, url, "jebpf_samples_total");
      long began = System.nanoTime();
      byte[] dump = get(client, url + "/debug/pprof/profile?from=-10s&to=now");
      double took = (System.nanoTime() - began) / 1e9;
      assertTrue(took <= DUMP_SECONDS_MAX, () -> "a dump took " + took + " s");
      assertTrue(Profile.of(dump).stacks().size() > 0, "the dump has samples");
      double after = metric(client, url, "jebpf_samples_total");
      while (after <= before && System.nanoTime() < deadline) {
        Thread.sleep(200);
        after = metric(client, url, "jebpf_samples_total");
      }
      assertTrue(after > before, "sampling goes on");
      assertEquals(0, metric(client, url, "jebpf_samples_lost_total{reason=\"ring_full\"}"));
    }
  }

  /** A slice of {@code make soak}; the aim is 1 % of a core. */
  @Test
  void twentyRecordingsCostHardlyMoreThanOne() {
    ChildResult result =
        ChildJvm.in(directory)
            .withoutOut()
            .agent("out=off,window=2s")
            .main(RecordingsCost.class, 2, 1_500)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    assertTrue(result.value("one") > 0, result::toString);
    assertTrue(result.value("more") <= MORE_MILLIONTHS_MAX, result::toString);
  }

  private static double metric(HttpClient client, String url, String name) throws Exception {
    for (String line : new String(get(client, url + "/metrics")).split("\n")) {
      if (line.startsWith(name + " ")) {
        return Double.parseDouble(line.substring(name.length() + 1));
      }
    }
    throw new AssertionError("no " + name);
  }

  private static byte[] get(HttpClient client, String url) throws Exception {
    HttpResponse<byte[]> answer =
        client.send(
            HttpRequest.newBuilder(URI.create(url)).build(),
            HttpResponse.BodyHandlers.ofByteArray());
    assertEquals(200, answer.statusCode(), () -> new String(answer.body()));
    return answer.body();
  }
}
