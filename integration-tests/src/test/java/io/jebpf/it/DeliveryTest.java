package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.options.ServerKind;
import io.jebpf.agent.options.ServerOptions;
import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.RunningJvm;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.receiver.HttpReceiver;
import io.jebpf.it.receiver.OtlpReceiver;
import io.jebpf.it.receiver.ParcaReceiver;
import io.jebpf.it.receiver.ProfileReceiver;
import io.jebpf.it.receiver.PyroscopeReceiver;
import io.jebpf.it.receiver.Received;
import io.jebpf.it.receiver.SenderHarness;
import io.jebpf.it.workload.FreePort;
import io.jebpf.it.workload.PoolLoad;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.net.ServerSocketFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real JVMs under the real agent send real profiles to receivers that speak the real protocols. */
@Beside
@KernelTest
class DeliveryTest {
  /** Two windows of three kinds. */
  private static final int PROFILES_MIN = 6;

  /** Of a JVM that SIGTERM ended. */
  private static final int TERMINATED = 143;

  @TempDir Path directory;

  private static String metric(Path file) {
    String kind = file.getFileName().toString().split("-")[0];
    return kind.equals("cpu") ? "process_cpu" : kind;
  }

  /** Per profile, the sum of each sample type, from the files. */
  private static Map<String, List<Long>> sumsOfFiles(Path profiles) throws IOException {
    Map<String, List<Long>> sums = new TreeMap<>();
    try (Stream<Path> files = Files.list(profiles)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".pb.gz")).toList()) {
        Profile profile = Profile.read(file);
        sums.put(metric(file) + "@" + profile.timeNanos(), sums(List.of(profile)));
      }
    }
    return sums;
  }

  private static List<Long> sums(List<Profile> profiles) {
    long[] sums = new long[profiles.get(0).sampleTypes().size()];
    for (Profile profile : profiles) {
      for (Profile.Stack stack : profile.stacks()) {
        for (int i = 0; i < sums.length; i++) {
          sums[i] += stack.values()[i];
        }
      }
    }
    return java.util.Arrays.stream(sums).boxed().toList();
  }

  private static Map<String, List<Long>> sumsOf(ProfileReceiver receiver) {
    Map<String, List<Profile>> byKey = new TreeMap<>();
    Set<String> seen = new HashSet<>();
    for (Received each : receiver.received()) {
      if (seen.add(each.key() + each.id() + each.series())) { // cut off at the end, it is repeated
        byKey.computeIfAbsent(each.key(), k -> new java.util.ArrayList<>()).add(each.profile());
      }
    }
    Map<String, List<Long>> sums = new TreeMap<>();
    byKey.forEach((key, profiles) -> sums.put(key, sums(profiles)));
    return sums;
  }

  private static void assertWhole(Map<String, List<Long>> files, ProfileReceiver receiver) {
    assertEquals(List.of(), receiver.refusals());
    assertEquals(files, sumsOf(receiver));
    assertEquals(files.keySet(), receiver.requestsByKey().keySet());
  }

  /**
   * Every kind, whole, at each server; two lines on stderr, no thread that is not named as ours.
   */
  @Test
  void everyProfileOfARunIsAtEveryServer() throws Exception {
    PyroscopeReceiver pyroscope = new PyroscopeReceiver();
    ParcaReceiver parca = new ParcaReceiver();
    OtlpReceiver otlp = new OtlpReceiver();
    try (HttpReceiver one = HttpReceiver.start(pyroscope);
        HttpReceiver two = HttpReceiver.start(parca);
        HttpReceiver three = HttpReceiver.start(otlp);
        RunningJvm child =
            ChildJvm.in(directory)
                .quick()
                .agent(
                    "service=pool-load,window=2s,labels=team:blue,budget=100%,spool="
                        + directory.resolve("spool")
                        + ",pyroscope="
                        + one.url()
                        + ",parca="
                        + two.url()
                        + ",otlp="
                        + three.url())
                .jvm("-Xlog:class+load:file=" + directory.resolve("classes"))
                .main(PoolLoad.class, 600)
                .start()) {
      child.awaitOutput("ready=1", Deadlines.RUN_SECONDS);
      long deadline = System.nanoTime() + Deadlines.RUN_SECONDS * 1_000_000_000L;
      while (parca.requestsByKey().size() < PROFILES_MIN
          && System.nanoTime() < deadline
          && child.alive()) {
        Thread.sleep(50);
      }
      int sent = parca.received().size();
      Tools.Outcome threads =
          Tools.run(
              directory,
              Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
              Long.toString(child.pid()),
              "Thread.print");
      child.terminate();
      ChildResult result = child.await(Deadlines.RUN_SECONDS);
      assertEquals(TERMINATED, result.exitCode(), result::toString);
      assertEquals(2, lines(result), result.stderr());
      Map<String, List<Long>> files = sumsOfFiles(child.profiles());
      assertTrue(files.size() >= PROFILES_MIN, files::toString);
      deliverRest(one, two, three); // what a busy machine did not get done before the end
      assertWhole(files, pyroscope);
      assertWhole(files, parca);
      assertEquals(List.of(), otlp.refusals());
      assertEquals(files.keySet(), otlp.requestsByKey().keySet());
      if (threads.exitCode() == 0) { // else it ended first, on a machine under much load
        assertTrue(threads.output().contains("\"jebpf-sender\""), threads.output());
        assertTrue(
            sent == 0 || threads.output().contains("\"jebpf-http-select\""), threads.output());
        assertFalse(threads.output().contains("\"HttpClient-"), threads.output());
      }
      String classes = Files.readString(directory.resolve("classes"));
      assertFalse(classes.contains(" sun.security.ssl.SSLContextImpl "), "TLS was set up");
      Map<String, String> series = parca.received().get(0).series();
      assertEquals("pool-load", series.get("service_name"));
      assertEquals("blue", series.get("team"));
      assertTrue(
          parca.received().stream()
              .anyMatch(r -> "pool-#-thread-#".equals(r.series().get("thread"))),
          "no series of the pool");
      assertTrue(
          parca.received().stream().anyMatch(r -> "sleep".equals(r.series().get("wait"))),
          () -> "no series of a wait: " + parca.received().stream().map(Received::series).toList());
    }
  }

  /** Without those that a machine under much load brings about. */
  private static long lines(ChildResult result) {
    return result
        .stderr()
        .lines()
        .filter(line -> !line.contains("the last profile may be incomplete"))
        .filter(line -> !line.contains("samples were lost"))
        .count();
  }

  private void deliverRest(HttpReceiver one, HttpReceiver two, HttpReceiver three)
      throws InterruptedException {
    SenderHarness rest =
        new SenderHarness(
            "pool-load",
            directory,
            256L << 20,
            60_000,
            ServerOptions.of(ServerKind.PYROSCOPE, URI.create(one.url())),
            ServerOptions.of(ServerKind.PARCA, URI.create(two.url())),
            ServerOptions.of(ServerKind.OTLP, URI.create(three.url())));
    rest.drain(3_600_000);
    rest.end();
  }

  /**
   * kill -9 while nobody listens; the next JVM of the service delivers, once, under the old name.
   */
  @Test
  void theNextJvmDeliversForOneThatWasKilled() throws Exception {
    int port = FreePort.find();
    Path spool = directory.resolve("spool");
    String options = "service=s,window=1s,spool=" + spool + ",pyroscope=http://127.0.0.1:" + port;
    Map<String, List<Long>> measured;
    long killedPid;
    Path first = Files.createDirectory(directory.resolve("first"));
    try (RunningJvm child =
        ChildJvm.in(first).quick().agent(options).main(PoolLoad.class, 600).start()) {
      killedPid = child.pid();
      long deadline = System.nanoTime() + Deadlines.RUN_SECONDS * 1_000_000_000L;
      while (!Files.isDirectory(child.profiles())
          || sumsOfFiles(child.profiles()).size() < 6 && System.nanoTime() < deadline) {
        Thread.sleep(100);
      }
      child.kill();
      child.await(Deadlines.RUN_SECONDS);
      measured = sumsOfFiles(child.profiles());
    }
    PyroscopeReceiver pyroscope = new PyroscopeReceiver();
    Path second = Files.createDirectory(directory.resolve("second"));
    try (HttpReceiver http =
        HttpReceiver.start(port, ServerSocketFactory.getDefault(), pyroscope)) {
      assertEquals(port, http.port());
      ChildResult result =
          ChildJvm.in(second)
              .quick()
              .agent(options)
              .main(PoolLoad.class, 6)
              .run(Deadlines.RUN_SECONDS);
      assertEquals(0, result.exitCode(), result::toString);
      ServerOptions server = ServerOptions.of(ServerKind.PYROSCOPE, URI.create(http.url()));
      SenderHarness rest = new SenderHarness("s", directory, 256L << 20, 60_000, server);
      rest.drain(3_600_000); // what a busy machine did not get done before the end
      rest.end();
      Map<String, List<Long>> all = new TreeMap<>(measured);
      all.putAll(sumsOfFiles(second.resolve("profiles")));
      Map<String, List<Long>> got = sumsOf(pyroscope);
      // Killed between the spool and the file, a profile is in the spool alone.
      got.keySet().removeIf(key -> !all.containsKey(key) && got.size() == all.size() + 1);
      assertEquals(List.of(), pyroscope.refusals());
      assertEquals(all, got);
      assertTrue(
          pyroscope.received().stream()
              .anyMatch(r -> Long.toString(killedPid).equals(r.series().get("pid"))),
          "nothing under the labels of the JVM that measured");
    }
  }

  /** A full disk costs one line; profiles go from memory to the server. */
  @Test
  void aFullDiskCostsOneLineAndProfilesAreSentFromMemory() throws Exception {
    Path disk = Files.createDirectory(directory.resolve("disk"));
    Tools.Outcome mounted =
        Tools.run(
            directory, "mount", "-t", "tmpfs", "-o", "size=64k", "jebpf-test", disk.toString());
    assertEquals(0, mounted.exitCode(), mounted.output());
    try {
      Files.write(disk.resolve("fill"), new byte[60 << 10]);
      PyroscopeReceiver pyroscope = new PyroscopeReceiver();
      try (HttpReceiver http = HttpReceiver.start(pyroscope)) {
        ChildResult result =
            ChildJvm.in(directory)
                .quick()
                .agent(
                    "window=1s,budget=100%,out=" + disk.resolve("out") + ",pyroscope=" + http.url())
                .main(PoolLoad.class, 6)
                .run(Deadlines.RUN_SECONDS);
        assertEquals(0, result.exitCode(), result::toString);
        assertEquals(3, lines(result), result.stderr());
        assertEquals(List.of(), pyroscope.refusals());
        assertTrue(pyroscope.requestsByKey().size() >= 3, pyroscope.requestsByKey()::toString);
        assertTrue(result.stderr().contains(" sent to pyroscope"), result.stderr());
        assertTrue(result.stderr().contains(" in 0 files (0 bytes)"), result.stderr());
      }
    } finally {
      Tools.run(directory, "umount", "-l", disk.toString());
    }
  }
}
