package io.jebpf.it.upload;

import static io.jebpf.it.upload.Uploads.at;
import static io.jebpf.it.upload.Uploads.now;
import static io.jebpf.it.upload.Uploads.weight;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.options.Secret;
import io.jebpf.agent.options.ServerKind;
import io.jebpf.agent.options.ServerOptions;
import io.jebpf.it.Beside;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.receiver.Exchange;
import io.jebpf.it.receiver.HttpReceiver;
import io.jebpf.it.receiver.ParcaReceiver;
import io.jebpf.it.receiver.PyroscopeReceiver;
import io.jebpf.it.receiver.Received;
import io.jebpf.it.receiver.SenderHarness;
import io.jebpf.it.receiver.SpoolFiller;
import io.jebpf.it.receiver.SyntheticProfiles;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.net.ServerSocketFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the sender makes of profiles, of its options, and of being killed. */
@Beside
class SenderTest {
  private static final long HOUR = 3_600_000;
  @TempDir private Path directory;

  @Test
  void seriesHaveStableNamesAndSayWhoMeasured() throws Exception {
    ParcaReceiver parca = new ParcaReceiver();
    try (HttpReceiver http = HttpReceiver.start(parca)) {
      SenderHarness harness = new SenderHarness(directory, at(ServerKind.PARCA, http));
      harness.put(1, now());
      harness.drain(HOUR);
      assertEquals(List.of(), parca.refusals());
      assertEquals(1, parca.received().size(), "twenty threads of one pool are one series");
      Map<String, String> series = parca.received().get(0).series();
      assertEquals("process_cpu", series.get("__name__"));
      assertEquals("test service", series.get("service_name"));
      assertEquals("pool-#-thread-#", series.get("thread"));
      assertEquals("pod-1", series.get("pod"));
      assertEquals("shop", series.get("namespace"));
      assertEquals("node-7", series.get("node"));
      assertEquals("pod-1:" + ProcessHandle.current().pid(), series.get("instance"));
      harness.end();
    }
  }

  /**
   * A label of the application that is different in each request must not make a million series.
   */
  @Test
  void aLabelWithTooManyValuesMakesNoSeries() throws Exception {
    ParcaReceiver parca = new ParcaReceiver();
    try (HttpReceiver http = HttpReceiver.start(parca)) {
      SenderHarness harness = new SenderHarness(directory, at(ServerKind.PARCA, http));
      long start = now();
      byte[] profile =
          SyntheticProfiles.labelled(
              start, 5_000, i -> Map.of("request", "r" + i, "tenant", "t" + i % 3));
      harness.sender().put("cpu", start, profile);
      harness.drain(HOUR);
      assertEquals(List.of(), parca.refusals());
      assertEquals(3, parca.received().size());
      assertEquals(1, harness.figure("parca.labels_folded"));
      assertEquals(
          weight(List.of(new Received(Map.of(), "", Profile.of(profile)))),
          weight(parca.received()));
      harness.end();
    }
  }

  /** A profile on which the server fails is told from a server that fails. */
  @Test
  void aPoisonProfileIsSetAsideAndTheOthersAreSent() throws Exception {
    long poison = now();
    PyroscopeReceiver good = new PyroscopeReceiver();
    try (HttpReceiver http =
        HttpReceiver.start(
            request -> {
              PyroscopeReceiver looking = new PyroscopeReceiver();
              looking.answer(request);
              return looking.requestsByKey().containsKey("process_cpu@" + poison * 1_000_000)
                  ? new Exchange.Answer(500, Map.of(), new byte[0])
                  : good.answer(request);
            })) {
      SenderHarness harness = new SenderHarness(directory, at(ServerKind.PYROSCOPE, http));
      harness.put(1, poison);
      List<String> others = harness.put(10, poison + 1000);
      harness.drain(HOUR);
      assertEquals(1, harness.figure("pyroscope.dropped_poison"));
      assertEquals(others, good.received().stream().map(Received::key).toList());
      assertEquals("", harness.imbalance("pyroscope"));
      try (var files = Files.list(directory.resolve("spool/test_service/poison"))) {
        List<Path> kept = files.toList();
        assertEquals(1, kept.size());
        assertTrue(Files.readString(harness.logFile()).contains(kept.get(0).toString()));
        assertEquals(poison * 1_000_000, Profile.read(kept.get(0)).timeNanos());
      }
      harness.end();
    }
  }

  @Test
  void whatIsTooOldForPyroscopeIsCountedAndNotSent() throws Exception {
    PyroscopeReceiver pyroscope = new PyroscopeReceiver();
    try (HttpReceiver http = HttpReceiver.start(pyroscope)) {
      ServerOptions server =
          new ServerOptions(
              ServerKind.PYROSCOPE,
              URI.create(http.url()),
              Optional.empty(),
              Optional.empty(),
              Optional.empty(),
              "",
              Optional.empty(),
              HOUR * 1_000_000);
      SenderHarness harness = new SenderHarness(directory, server);
      harness.put(3, System.currentTimeMillis() - 2 * HOUR);
      List<String> young = harness.put(2, now());
      harness.drain(HOUR);
      assertEquals(3, harness.figure("pyroscope.dropped_too_old"));
      assertEquals(young, pyroscope.received().stream().map(Received::key).toList());
      assertEquals("", harness.imbalance("pyroscope"));
      assertEquals(List.of(), pyroscope.refusals());
      harness.end();
    }
  }

  @Test
  void theSpoolStaysInItsBudgetAndTheOldestGo() throws Exception {
    SenderHarness harness =
        new SenderHarness(
            directory,
            1 << 20, // half of it for the spool
            10_000,
            ServerOptions.of(ServerKind.PYROSCOPE, URI.create("http://127.0.0.1:1")),
            ServerOptions.of(ServerKind.PARCA, URI.create("http://127.0.0.1:1")));
    long start = now();
    for (int i = 0; i < 100; i++) {
      byte[] profile = SyntheticProfiles.cpu(start + i, 500, 20, 5, Map.of());
      harness.sender().put("cpu", start + i, profile);
    }
    long waiting = harness.figure("parca.waiting");
    assertTrue(harness.sender().diskBytes() <= 1 << 19, harness.sender().figures()::toString);
    assertTrue(waiting > 10 && waiting < 100, harness.sender().figures()::toString);
    assertEquals(100 - waiting, harness.figure("parca.dropped_disk"));
    assertEquals(100 - waiting, harness.figure("pyroscope.dropped_disk"));
    assertEquals("", harness.imbalance("parca"));
    harness.end();
    ParcaReceiver parca = new ParcaReceiver();
    try (HttpReceiver http = HttpReceiver.start(parca)) {
      SenderHarness next = new SenderHarness(directory, at(ServerKind.PARCA, http));
      next.drain(HOUR);
      List<String> youngest = new ArrayList<>();
      for (long i = 100 - waiting; i < 100; i++) {
        youngest.add("process_cpu@" + (start + i) * 1_000_000);
      }
      assertEquals(youngest, parca.received().stream().map(Received::key).distinct().toList());
      next.end();
    }
  }

  @Test
  void secretsAreSentAndNeverShown() throws Exception {
    PyroscopeReceiver pyroscope = new PyroscopeReceiver();
    ParcaReceiver parca = new ParcaReceiver();
    Path token = Files.writeString(directory.resolve("token"), "t0ken-in-a-file\n");
    try (HttpReceiver one = HttpReceiver.start(pyroscope);
        HttpReceiver two = HttpReceiver.start(parca)) {
      ServerOptions basic =
          new ServerOptions(
              ServerKind.PYROSCOPE,
              URI.create(one.url()),
              Optional.of("user"),
              Optional.of(Secret.ofText("pa:ss-word")),
              Optional.empty(),
              "tenant-1",
              Optional.empty(),
              0);
      ServerOptions bearer =
          new ServerOptions(
              ServerKind.PARCA,
              URI.create(two.url()),
              Optional.empty(),
              Optional.empty(),
              Optional.of(Secret.ofFile(token)),
              "",
              Optional.empty(),
              0);
      SenderHarness harness = new SenderHarness(directory, basic, bearer);
      harness.put(1, now());
      harness.drain(HOUR);
      assertEquals(
          "Basic " + Base64.getEncoder().encodeToString("user:pa:ss-word".getBytes("UTF-8")),
          pyroscope.lastRequest().headers().get("authorization"));
      assertEquals("tenant-1", pyroscope.lastRequest().headers().get("x-scope-orgid"));
      assertEquals("Bearer t0ken-in-a-file", parca.lastRequest().headers().get("authorization"));
      Files.writeString(token, "another");
      parca.answerAlways(new Exchange.Answer(401, Map.of(), new byte[0]));
      harness.put(1, now());
      harness.run(1000);
      assertEquals("Bearer another", parca.lastRequest().headers().get("authorization"));
      String shown =
          Files.readString(harness.logFile()) + basic + bearer + harness.sender().figures();
      for (String secret : List.of("pa:ss-word", "t0ken", "another", "cGE6")) {
        assertFalse(shown.contains(secret), secret + " is in " + shown);
      }
      harness.end();
    }
  }

  private Path keyStore() throws Exception {
    Path store = directory.resolve("store.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "me",
                "-keyalg",
                "EC",
                "-dname",
                "CN=127.0.0.1",
                "-ext",
                "SAN=IP:127.0.0.1",
                "-validity",
                "2",
                "-storepass",
                "changeit",
                "-keystore",
                store.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("keytool.out").toFile())
            .start();
    assertTrue(keytool.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, keytool.exitValue());
    return store;
  }

  /** A certificate that is not trusted keeps profiles back; with its own CA they are sent. */
  @Test
  void tlsWithOwnCertificates() throws Exception {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(keyStore())) {
      keys.load(in, "changeit".toCharArray());
    }
    Path pem = directory.resolve("ca.pem");
    Files.writeString(
        pem,
        "-----BEGIN CERTIFICATE-----\n"
            + Base64.getMimeEncoder().encodeToString(keys.getCertificate("me").getEncoded())
            + "\n-----END CERTIFICATE-----\n");
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, "changeit".toCharArray());
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(managers.getKeyManagers(), null, null);
    ServerSocketFactory sockets = tls.getServerSocketFactory();
    ParcaReceiver parca = new ParcaReceiver();
    try (HttpReceiver http = HttpReceiver.start(0, sockets, parca)) {
      URI url = URI.create("https://127.0.0.1:" + http.port());
      SenderHarness without = new SenderHarness(directory, ServerOptions.of(ServerKind.PARCA, url));
      List<String> keysPut = without.put(3, now());
      without.run(20_000);
      assertEquals(3, without.waiting());
      assertTrue(Files.readString(without.logFile()).contains("PKIX"));
      without.end();
      ServerOptions trusting =
          new ServerOptions(
              ServerKind.PARCA,
              url,
              Optional.empty(),
              Optional.empty(),
              Optional.empty(),
              "",
              Optional.of(pem),
              0);
      SenderHarness with = new SenderHarness(directory, trusting);
      with.drain(HOUR);
      assertEquals(keysPut, parca.received().stream().map(Received::key).distinct().toList());
      with.end();
    }
  }

  /**
   * kill -9 at any moment of a write: what was in is delivered once, what was not leaves nothing.
   */
  @Test
  void killedInTheMiddleOfWriting() throws Exception {
    Set<String> put = new HashSet<>();
    int kills = 5;
    for (int i = 0; i < kills; i++) {
      Path out = directory.resolve("out-" + i);
      Process filler =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty(
                      "io.jebpf.it.classpath", System.getProperty("java.class.path")),
                  SpoolFiller.class.getName(),
                  directory.toString())
              .redirectError(directory.resolve("err-" + i).toFile())
              .redirectOutput(out.toFile())
              .start();
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (Files.readString(out).lines().count() < 20 + i && System.nanoTime() < deadline) {
        Thread.sleep(3);
      }
      filler.destroyForcibly();
      assertTrue(filler.waitFor(30, TimeUnit.SECONDS));
      String text = Files.readString(out);
      assertTrue(text.lines().count() >= 20, Files.readString(directory.resolve("err-" + i)));
      text.substring(0, text.lastIndexOf('\n')).lines().forEach(put::add);
    }
    PyroscopeReceiver pyroscope = new PyroscopeReceiver();
    ParcaReceiver parca = new ParcaReceiver();
    try (HttpReceiver one = HttpReceiver.start(pyroscope);
        HttpReceiver two = HttpReceiver.start(parca)) {
      SenderHarness next =
          new SenderHarness(directory, at(ServerKind.PYROSCOPE, one), at(ServerKind.PARCA, two));
      next.drain(HOUR);
      for (var receiver : List.of(pyroscope, parca)) {
        assertEquals(List.of(), receiver.refusals());
        assertTrue(receiver.requestsByKey().values().stream().allMatch(count -> count == 1));
        Set<String> missing = new HashSet<>(put);
        missing.removeAll(receiver.requestsByKey().keySet());
        assertEquals(Set.of(), missing);
        int unannounced = receiver.requestsByKey().size() - put.size();
        assertTrue(unannounced <= kills, unannounced + " more than were put");
      }
      assertEquals(0, next.figure("pyroscope.dropped_unreadable"));
      assertEquals("", next.imbalance("pyroscope"));
      next.end();
    }
    try (var left = Files.list(directory.resolve("spool/test_service"))) {
      assertEquals(List.of(), left.toList());
    }
  }
}
