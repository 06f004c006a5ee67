package io.jebpf.it.upload;

import static io.jebpf.it.upload.Uploads.now;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.parallel.ExecutionMode.CONCURRENT;

import io.jebpf.agent.options.ServerKind;
import io.jebpf.agent.options.ServerOptions;
import io.jebpf.it.Beside;
import io.jebpf.it.receiver.Exchange;
import io.jebpf.it.receiver.Fault;
import io.jebpf.it.receiver.FullBacklog;
import io.jebpf.it.receiver.HttpReceiver;
import io.jebpf.it.receiver.OtlpReceiver;
import io.jebpf.it.receiver.ParcaReceiver;
import io.jebpf.it.receiver.ProfileReceiver;
import io.jebpf.it.receiver.PyroscopeReceiver;
import io.jebpf.it.receiver.SenderHarness;
import io.jebpf.it.workload.FreePort;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import javax.net.ServerSocketFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What a server can do wrong, for each server, on real sockets and with a clock that jumps. After
 * each fault the books are checked: every profile is at the receiver exactly once, or in a counter
 * that says why not.
 */
@Beside
class FaultMatrixTest {
  private static final int PROFILES = 5;

  /**
   * Long enough for a good answer under load, two tests at a time; hanging ones cost it in real
   * time.
   */
  private static final long HANG_DEADLINE_MILLIS = 2_000;

  private static final long HOUR = 3_600_000;
  private static final long TEN_MINUTES = 600_000;

  @TempDir private Path directory;

  enum Server {
    PYROSCOPE(ServerKind.PYROSCOPE, PyroscopeReceiver::new),
    PARCA(ServerKind.PARCA, ParcaReceiver::new),
    OTLP(ServerKind.OTLP, OtlpReceiver::new);

    final ServerKind kind;
    private final java.util.function.Supplier<ProfileReceiver> receiver;

    Server(ServerKind kind, java.util.function.Supplier<ProfileReceiver> receiver) {
      this.kind = kind;
      this.receiver = receiver;
    }

    ServerOptions at(String url) {
      return ServerOptions.of(kind, URI.create(url));
    }

    String key() {
      return kind.key();
    }
  }

  /** Every key once; more often only as often as the sender says that it may have repeated. */
  private static void assertDelivered(
      List<String> keys, ProfileReceiver receiver, SenderHarness harness, Server server) {
    Map<String, Integer> got = receiver.requestsByKey();
    assertEquals(keys.stream().sorted().toList(), got.keySet().stream().sorted().toList());
    long extra = got.values().stream().mapToLong(count -> count - 1).sum();
    long repeated = harness.figure(server.key() + ".repeated");
    assertTrue(extra <= repeated, got + " but repeated " + repeated);
    assertEquals(List.of(), receiver.refusals());
    assertEquals("", harness.imbalance(server.key()));
    assertEquals(keys.size(), harness.figure(server.key() + ".sent"));
  }

  /** A fault of the wire for some minutes, then a server that is well. */
  private void fault(Server server, Fault fault, boolean exactlyOnce) throws Exception {
    ProfileReceiver receiver = server.receiver.get();
    try (HttpReceiver http = HttpReceiver.start(receiver)) {
      SenderHarness harness =
          new SenderHarness(directory, 256L << 20, HANG_DEADLINE_MILLIS, server.at(http.url()));
      http.fault(fault);
      List<String> keys = harness.put(PROFILES, now());
      harness.run(4_000);
      assertTrue(http.connections() > 0, "the server was not even asked");
      assertEquals(0, harness.figure(server.key() + ".sent"), fault::toString);
      assertEquals(PROFILES, harness.waiting(), Files.readString(harness.logFile()));
      http.fault(Fault.NONE);
      harness.drain(HOUR);
      assertDelivered(keys, receiver, harness, server);
      if (exactlyOnce) {
        assertTrue(receiver.requestsByKey().values().stream().allMatch(count -> count == 1));
      }
      harness.end();
      assertEquals(0, harness.sender().defects());
    }
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void hangsAtOnce(Server server) throws Exception {
    fault(server, Fault.HANG_AT_ONCE, true);
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void hangsAfterTheRequest(Server server) throws Exception {
    fault(server, Fault.HANG_AFTER_REQUEST, true);
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void storesAndThenHangs(Server server) throws Exception {
    fault(server, Fault.HANG_AFTER_STORING, false);
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void resetsInTheBody(Server server) throws Exception {
    fault(server, Fault.RESET_IN_BODY, true);
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void resetsAfterTheRequest(Server server) throws Exception {
    fault(server, Fault.RESET_AFTER_REQUEST, true);
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void closesItsHalf(Server server) throws Exception {
    fault(server, Fault.HALF_CLOSE, true);
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void answersWithGarbage(Server server) throws Exception {
    fault(server, Fault.GARBAGE, true);
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void answersTooSlowly(Server server) throws Exception {
    fault(server, Fault.SLOW, true);
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(value = Server.class, names = "OTLP", mode = EnumSource.Mode.EXCLUDE)
  void answersWithoutEnd(Server server) throws Exception {
    fault(server, Fault.ENDLESS, true);
  }

  /** Nobody listens for ten minutes while a profile is made each ten seconds. */
  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void refusesConnectionsForTenMinutes(Server server) throws Exception {
    int port = FreePort.find();
    SenderHarness harness = new SenderHarness(directory, server.at("http://127.0.0.1:" + port));
    List<String> keys = new java.util.ArrayList<>();
    for (int i = 0; i < TEN_MINUTES / 10_000; i++) {
      keys.addAll(harness.put(1, now() + i));
      harness.run(10_000);
    }
    assertEquals(60, harness.waiting());
    ProfileReceiver receiver = server.receiver.get();
    try (HttpReceiver http = HttpReceiver.start(port, ServerSocketFactory.getDefault(), receiver)) {
      harness.drain(TEN_MINUTES);
      assertEquals(port, http.port());
      assertDelivered(keys, receiver, harness, server);
      assertEquals(60, receiver.requestsByKey().values().stream().mapToInt(c -> c).sum());
      assertEquals(
          keys, receiver.received().stream().map(r -> r.key()).distinct().toList(), "not in order");
      harness.end();
    }
  }

  /** The JVM is started again during the outage; the next one of the service delivers. */
  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void theNextJvmDeliversWhatTheLastCouldNot(Server server) throws Exception {
    int port = FreePort.find();
    SenderHarness first = new SenderHarness(directory, server.at("http://127.0.0.1:" + port));
    List<String> keys = new java.util.ArrayList<>(first.put(PROFILES, now()));
    first.run(TEN_MINUTES);
    first.end();
    assertEquals(PROFILES, first.waiting());
    assertEquals("", first.imbalance(server.key()));
    SenderHarness second = new SenderHarness(directory, server.at("http://127.0.0.1:" + port));
    SenderHarness third = new SenderHarness(directory, server.at("http://127.0.0.1:" + port));
    assertEquals(0, third.figure(server.key() + ".adopted"), "adopted by two");
    keys.addAll(second.put(PROFILES, now() + 1));
    ProfileReceiver receiver = server.receiver.get();
    try (HttpReceiver http = HttpReceiver.start(port, ServerSocketFactory.getDefault(), receiver)) {
      assertEquals(port, http.port());
      second.drain(HOUR);
      third.drain(HOUR);
      assertDelivered(keys, receiver, second, server);
      assertTrue(receiver.requestsByKey().values().stream().allMatch(count -> count == 1));
      second.end();
      third.end();
    }
    try (var left = Files.list(directory.resolve("spool/test_service"))) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void theNameDoesNotResolve(Server server) throws Exception {
    SenderHarness first = new SenderHarness(directory, server.at("http://no-such-host.invalid:1"));
    List<String> keys = first.put(PROFILES, now());
    first.run(20_000);
    assertEquals(PROFILES, first.waiting());
    assertTrue(
        Files.readString(first.logFile()).contains("name cannot be resolved"),
        Files.readString(first.logFile()));
    first.end();
    ProfileReceiver receiver = server.receiver.get();
    try (HttpReceiver http = HttpReceiver.start(receiver)) {
      SenderHarness second = new SenderHarness(directory, server.at(http.url()));
      second.drain(HOUR);
      assertDelivered(keys, receiver, second, server);
      second.end();
    }
  }

  /** An error answer for a while; what becomes of the profiles is up to the test. */
  private void answers(
      Server server, Exchange.Answer answer, boolean kept, Function<Server, String> droppedAs)
      throws Exception {
    ProfileReceiver receiver = server.receiver.get();
    try (HttpReceiver http = HttpReceiver.start(receiver)) {
      SenderHarness harness = new SenderHarness(directory, server.at(http.url()));
      receiver.answerAlways(answer);
      List<String> keys = harness.put(PROFILES, now());
      harness.run(TEN_MINUTES);
      assertTrue(http.requests() > 0);
      if (!kept) {
        assertEquals(PROFILES, harness.figure(droppedAs.apply(server)));
        keys = List.of();
      } else {
        assertEquals(PROFILES, harness.waiting(), harness.sender().figures()::toString);
        assertTrue(http.requests() < 40, http.requests() + " requests in ten minutes");
      }
      receiver.answerAlways(null);
      List<String> more = harness.put(1, now() + 1);
      harness.drain(HOUR);
      List<String> all = new java.util.ArrayList<>(keys);
      all.addAll(more);
      assertDelivered(all, receiver, harness, server);
      assertTrue(receiver.requestsByKey().values().stream().allMatch(count -> count == 1));
      harness.end();
    }
  }

  private static Exchange.Answer http(int status) {
    return new Exchange.Answer(status, Map.of("Content-Type", "text/plain"), new byte[0]);
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void answers401(Server server) throws Exception {
    answers(server, http(401), true, s -> "");
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void answers422(Server server) throws Exception {
    answers(server, http(422), true, s -> "");
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void answers429(Server server) throws Exception {
    answers(server, http(429), true, s -> "");
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void answers500(Server server) throws Exception {
    answers(server, http(500), true, s -> "");
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void answers503(Server server) throws Exception {
    answers(server, http(503), true, s -> "");
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void answers400(Server server) throws Exception {
    answers(server, http(400), false, s -> s.key() + ".dropped_refused");
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void answers413(Server server) throws Exception {
    answers(server, http(413), false, s -> s.key() + ".dropped_refused");
  }

  /**
   * What Parca says with HTTP 200: the status is in the trailers at the end of the body, or, where
   * there is no message, in the headers.
   */
  @Execution(CONCURRENT)
  @ParameterizedTest
  @CsvSource({
    "1, true", // Canceled
    "2, true", // Unknown: what Parca says of trouble of its own, too
    "4, true", // DeadlineExceeded
    "7, true", // PermissionDenied
    "8, true", // ResourceExhausted
    "13, true", // Internal
    "14, true", // Unavailable
    "16, true", // Unauthenticated
    "3, false", // InvalidArgument
    "12, false", // Unimplemented
  })
  void answersWithAGrpcStatus(int code, boolean kept) throws Exception {
    answers(Server.PARCA, ParcaReceiver.grpc(code, "no more"), kept, s -> "parca.dropped_refused");
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @CsvSource({"3, false", "8, true", "14, true", "16, true"})
  void answersWithAGrpcStatusInTheHeaders(int code, boolean kept) throws Exception {
    Map<String, String> headers =
        Map.of(
            "Content-Type", "application/grpc-web+proto",
            "grpc-status", Integer.toString(code),
            "grpc-message", "no%20more");
    Exchange.Answer answer = new Exchange.Answer(200, headers, new byte[0]);
    answers(Server.PARCA, answer, kept, s -> "parca.dropped_refused");
  }

  /** A proxy's page instead of Parca: nothing is taken for delivered. */
  @Execution(CONCURRENT)
  @Test
  void answersWithoutAGrpcStatus() throws Exception {
    answers(Server.PARCA, http(200), true, s -> "");
  }

  /** The connection is never taken: the queue of those who want one is full. */
  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void hangsOnConnect(Server server) throws Exception {
    SenderHarness harness;
    List<String> keys;
    int port;
    try (FullBacklog full = new FullBacklog()) {
      port = full.port();
      harness =
          new SenderHarness(
              directory, 256L << 20, HANG_DEADLINE_MILLIS, server.at("http://127.0.0.1:" + port));
      keys = harness.put(PROFILES, now());
      long began = System.nanoTime();
      harness.run(4_000);
      assertTrue(System.nanoTime() - began < 60_000_000_000L, "no deadline");
      assertEquals(PROFILES, harness.waiting(), Files.readString(harness.logFile()));
      assertEquals(0, harness.figure(server.key() + ".repeated"), "nothing was sent yet");
    }
    ProfileReceiver receiver = server.receiver.get();
    try (HttpReceiver http = HttpReceiver.start(port, ServerSocketFactory.getDefault(), receiver)) {
      assertEquals(port, http.port());
      harness.drain(HOUR);
      assertDelivered(keys, receiver, harness, server);
      assertTrue(receiver.requestsByKey().values().stream().allMatch(count -> count == 1));
      harness.end();
    }
  }

  /** The spool's disk is read-only: profiles wait in memory, and go from there. */
  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void theDiskIsReadOnly(Server server) throws Exception {
    Path spool = Files.createDirectories(directory.resolve("spool"));
    assumeTrue(
        mount("-t", "tmpfs", "-o", "ro,size=1m", "jebpf-test", spool.toString()), "no mount");
    try {
      int port = FreePort.find();
      SenderHarness harness = new SenderHarness(directory, server.at("http://127.0.0.1:" + port));
      List<String> keys = harness.put(PROFILES, now());
      harness.run(20_000);
      assertEquals(PROFILES, harness.waiting());
      ProfileReceiver receiver = server.receiver.get();
      try (HttpReceiver http =
          HttpReceiver.start(port, ServerSocketFactory.getDefault(), receiver)) {
        assertEquals(port, http.port());
        harness.drain(HOUR);
        assertDelivered(keys, receiver, harness, server);
        harness.end();
      }
      String log = Files.readString(harness.logFile());
      assertEquals(
          1, log.lines().filter(line -> line.contains("the spool of profiles")).count(), log);
    } finally {
      new ProcessBuilder("umount", "-l", spool.toString()).start().waitFor();
    }
  }

  private static boolean mount(String... arguments) throws Exception {
    List<String> command = new java.util.ArrayList<>(List.of("mount"));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).start().waitFor() == 0;
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void redirects(Server server) throws Exception {
    Exchange.Answer elsewhere =
        new Exchange.Answer(302, Map.of("Location", "http://127.0.0.1:1/"), new byte[0]);
    answers(server, elsewhere, true, s -> "");
  }

  @Execution(CONCURRENT)
  @ParameterizedTest
  @EnumSource(Server.class)
  void retryAfterIsRespected(Server server) throws Exception {
    ProfileReceiver receiver = server.receiver.get();
    try (HttpReceiver http = HttpReceiver.start(receiver)) {
      SenderHarness harness = new SenderHarness(directory, server.at(http.url()));
      receiver.answerAlways(new Exchange.Answer(429, Map.of("Retry-After", "120"), new byte[0]));
      List<String> keys = harness.put(PROFILES, now());
      harness.run(5_000);
      assertEquals(1, http.requests());
      receiver.answerAlways(null);
      harness.run(110_000);
      assertEquals(1, http.requests(), "asked again before its time");
      harness.drain(HOUR);
      assertDelivered(keys, receiver, harness, server);
      harness.end();
    }
  }
}
