package io.jebpf.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.options.HttpOptions;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.options.Options.LogLevel;
import io.jebpf.agent.options.OptionsBuilder;
import io.jebpf.agent.pipeline.FakeEngine;
import io.jebpf.agent.pprof.PprofRules;
import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The HTTP endpoint, spoken to by sockets: nothing of the client hides what is on the wire. */
@Timeout(120)
class HttpTest {
  private static final long MILLI = 1_000_000L;
  @TempDir private Path directory;
  private final FakeEngine engine = new FakeEngine();
  private Profiler profiler;
  private Thread thread;
  private int port;

  /** An answer as it came. */
  private record Got(int status, Map<String, String> headers, byte[] body) {
    String text() {
      return new String(body, StandardCharsets.UTF_8);
    }
  }

  @BeforeEach
  void start() throws Exception {
    start("");
  }

  private void start(String token) throws Exception {
    Options options =
        new OptionsBuilder("shop & <co>")
            .out(Optional.empty())
            .http(Optional.of(new HttpOptions("", 0, token)))
            .build();
    Path file = directory.resolve("log" + token);
    AgentLog log = AgentLog.toFile(file, LogLevel.WARN);
    profiler = new Profiler(options, log, (o, l, cancelled) -> engine, "1.2");
    thread = AgentThreads.start("reader", profiler::run, Throwable::printStackTrace);
    while (!Files.readString(file).contains("HTTP on 127.0.0.1:")) {
      Thread.sleep(5);
    }
    port =
        Integer.parseInt(Files.readString(file).replaceAll("(?s).*HTTP on [^:]*:(\\d+).*", "$1"));
  }

  @AfterEach
  void stop() throws Exception {
    profiler.stop();
    thread.join();
    boolean listens = true;
    while (listens) { // bounded by the test's timeout
      try {
        new Socket("127.0.0.1", port).close(); // may by chance be connected to itself
      } catch (IOException e) {
        listens = false;
      }
    }
  }

  private Got get(String path, String... headers) throws IOException {
    return send(
        "GET " + path + " HTTP/1.1\r\nHost: localhost:" + port + "\r\n" + lines(headers) + "\r\n");
  }

  private static String lines(String... headers) {
    return List.of(headers).stream().map(header -> header + "\r\n").collect(Collectors.joining());
  }

  private Got send(String request) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", port)) {
      OutputStream out = socket.getOutputStream();
      out.write(request.getBytes(StandardCharsets.ISO_8859_1));
      out.flush();
      return read(socket.getInputStream());
    }
  }

  private static Got read(InputStream in) throws IOException {
    byte[] all = in.readAllBytes();
    String text = new String(all, StandardCharsets.ISO_8859_1);
    int end = text.indexOf("\r\n\r\n");
    String[] lines = text.substring(0, end).split("\r\n");
    Map<String, String> headers = new HashMap<>();
    for (int i = 1; i < lines.length; i++) {
      String[] pair = lines[i].split(": ", 2);
      headers.put(pair[0].toLowerCase(Locale.ROOT), pair[1]);
    }
    byte[] body = java.util.Arrays.copyOfRange(all, end + 4, all.length);
    return new Got(Integer.parseInt(lines[0].split(" ")[1]), headers, body);
  }

  private void assertGoError(int status, Got got) {
    assertEquals(status, got.status(), got.text());
    assertEquals("1", got.headers().get("x-go-pprof"));
    assertEquals("text/plain; charset=utf-8", got.headers().get("content-type"));
    assertFalse(got.headers().containsKey("content-disposition"));
  }

  @Test
  void aProfileOfTheNextSecondsIsAsGoServesIt() throws Exception {
    engine.sampleNow(1, MILLI); // before
    Thread feeder =
        new Thread(
            () -> {
              try {
                Thread.sleep(300);
                engine.sampleNow(2, MILLI);
                Thread.sleep(1500);
                engine.sampleNow(3, MILLI); // after
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    feeder.start();
    Got got = get("/debug/pprof/profile?seconds=1");
    feeder.join();
    assertEquals(200, got.status(), got.text());
    assertEquals("application/octet-stream", got.headers().get("content-type"));
    assertEquals("attachment; filename=\"profile\"", got.headers().get("content-disposition"));
    assertEquals("nosniff", got.headers().get("x-content-type-options"));
    assertFalse(got.headers().containsKey("content-encoding"), "the gzip is the format's own");
    PprofRules profile = new PprofRules(got.body());
    assertEquals(List.of(), profile.broken);
    assertEquals(1, profile.samples.size());
    assertEquals(1_000_000_000, profile.durationNanos);
    assertEquals(List.of("app.Main.m2"), profile.samples.get(0).leafFirst());
  }

  /**
   * Alloy sends on what it fetches, and Pyroscope makes a series of each set of labels: as in
   * uploads, there must not be one for each thread. People and {@code go tool pprof} get them all.
   */
  @Test
  void collectorsGetTheLabelsOfSeries() throws Exception {
    for (int i = 1; i <= 3; i++) {
      engine.labels =
          Labels.of(LabelKey.THREAD, "pool-1-thread-" + i)
              .with(LabelKey.VTHREAD, "#" + i)
              .with(LabelKey.SPAN_ID, "00000000000000a1");
      engine.sampleNow(7, MILLI);
      get("/debug/pprof/profile?from=-60s&debug=1"); // drained
    }
    String path = "/debug/pprof/profile?from=-60s";
    for (String agent : List.of("Go-http-client/1.1", "curl/8.5.0", "")) {
      PprofRules all = new PprofRules(get(path, "User-Agent: " + agent).body());
      assertEquals(3, all.samples.size(), agent);
    }
    for (String agent :
        List.of("Alloy/v1.18.1 (linux; docker)", "GrafanaAgent/v0.43", "conprof/0.28.0")) {
      Got got = get(path, "User-Agent: " + agent);
      assertEquals("application/octet-stream", got.headers().get("content-type"));
      PprofRules few = new PprofRules(got.body());
      assertEquals(List.of(), few.broken, agent);
      assertEquals(1, few.samples.size(), agent);
      assertEquals(
          Map.of("thread", "pool-#-thread-#", "span_id", "00000000000000a1"),
          few.samples.get(0).labels());
      assertEquals(List.of(3L, 3 * MILLI), few.samples.get(0).values());
    }
    assertEquals(1, new PprofRules(get(path + "&labels=few").body()).samples.size());
    String alloy = "User-Agent: Alloy/v1.18.1";
    assertEquals(3, new PprofRules(get(path + "&labels=all", alloy).body()).samples.size());
    assertGoError(400, get("/debug/pprof/profile?seconds=30&labels=none"));
    Got empty = get("/debug/pprof/profile?seconds=1", alloy);
    assertEquals(List.of(), new PprofRules(empty.body()).broken, "nothing ran");
  }

  @Test
  void thePastIsServedAtOnce() throws Exception {
    engine.sampleNow(1, 5 * MILLI);
    assertEquals(
        1, new PprofRules(get("/debug/pprof/profile?from=-60s&to=now").body()).samples.size());
    assertEquals("app.Main.m1 5000000\n", get("/debug/pprof/profile?from=-60s&debug=1").text());
    assertEquals(
        "app.Main.m1 5000000\n",
        get("/debug/pprof/wall?from=-60s&format=collapsed&state=running").text());
    assertEquals("", get("/debug/pprof/wall?from=-60s&format=collapsed&thread=no%2ane").text());
    Got page = get("/flamegraph?kind=cpu&seconds=60");
    assertEquals("text/html; charset=utf-8", page.headers().get("content-type"));
    assertTrue(page.text().contains("app.Main.m1"), page.text());
    assertTrue(page.text().contains("shop &amp; &lt;co&gt;"), "the title is text");
    assertGoError(404, get("/debug/pprof/profile?from=-900s&to=-800s"));
  }

  @Test
  void pagesForPeopleAndMachines() throws Exception {
    Got index = get("/debug/pprof/");
    assertEquals(200, index.status());
    assertEquals("text/html; charset=utf-8", index.headers().get("content-type"));
    assertTrue(index.text().contains("<h1>shop &amp; &lt;co&gt;</h1>"), index.text());
    assertEquals("/debug/pprof/", get("/").headers().get("location"));
    assertEquals("/debug/pprof/", get("/debug/pprof").headers().get("location"));
    assertEquals("java\0shop & <co>", get("/debug/pprof/cmdline").text());
    assertEquals("num_symbols: 1\n", get("/debug/pprof/symbol").text());
    String post = "POST /debug/pprof/symbol HTTP/1.1\r\nContent-Length: 3\r\n\r\n0x1";
    assertEquals("num_symbols: 1\n", send(post).text());
    assertEquals("RUNNING\n", get("/healthz").text());
    Got head = send("HEAD /debug/pprof/ HTTP/1.0\r\n\r\n");
    assertEquals(0, head.body().length);
    assertTrue(Integer.parseInt(head.headers().get("content-length")) > 1000);
  }

  /** Every line is a comment or a value of the family before it; names are not used twice. */
  @Test
  void metricsAreInPrometheusForm() throws Exception {
    engine.sampleNow(1, MILLI);
    engine.ringFull = 2;
    String text = "";
    while (!text.contains("jebpf_samples_total 1\n")) { // published once a second
      Thread.sleep(50);
      text = get("/metrics").text();
    }
    String family = "";
    List<String> families = new ArrayList<>();
    for (String line : text.lines().toList()) {
      if (line.startsWith("# TYPE ")) {
        family = line.split(" ")[2];
        families.add(family);
        assertTrue(line.endsWith(" counter") == family.endsWith("_total"), line);
      } else if (!line.startsWith("# HELP ")) {
        assertTrue(
            line.matches(family + "(\\{[a-z]+=\"[^\"]*\"})? -?[0-9.E-]+"), family + ": " + line);
      }
    }
    assertEquals(families.size(), Set.copyOf(families).size());
    assertTrue(text.contains("jebpf_samples_lost_total{reason=\"ring_full\"} 2\n"), text);
    assertTrue(text.contains("jebpf_http_requests_total "), text);
    assertTrue(text.contains("jebpf_history_bytes "), text);
    assertEquals(
        "text/plain; version=0.0.4; charset=utf-8", get("/metrics").headers().get("content-type"));
  }

  @Test
  void whatIsWrongIsRefused() throws Exception {
    for (String query :
        List.of(
            "seconds=0",
            "seconds=-1",
            "seconds=x",
            "seconds=601",
            "seconds=99999999999",
            "seconds=",
            "seconds=1.5",
            "from=yesterday",
            "from=-5s&to=-10s",
            "from=-5s&to=x",
            "format=svg",
            "from=" + "9".repeat(5000),
            "from=-5s&to=2999-01-01T00:00:00Z")) {
      assertGoError(400, get("/debug/pprof/profile?" + query));
    }
    assertGoError(400, get("/flamegraph?kind=heap"));
    for (String path :
        List.of("/debug/pprof/heap", "/debug/pprof/../../etc/passwd", "/x", "/%2e%2e")) {
      assertGoError(404, get(path));
    }
    for (String head :
        List.of(
            "GET /\r\n\r\n",
            "nonsense\r\n\r\n",
            "GET http://x/ HTTP/1.1\r\n\r\n",
            "GET /%zz HTTP/1.1\r\n\r\n",
            "GET / HTTP/2\r\n\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 999999\r\n\r\n")) {
      assertGoError(400, send(head));
    }
    for (String method : List.of("POST", "PUT", "DELETE", "OPTIONS", "TRACE")) {
      assertGoError(405, send(method + " /metrics HTTP/1.1\r\n\r\n"));
    }
    assertGoError(431, get("/", ("X-A: " + "a".repeat(1000) + "\r\n").repeat(1000).strip()));
    assertGoError(431, send("GET /" + "a".repeat(1 << 20)));
    assertEquals(200, get("/healthz").status());
  }

  @Test
  void pagesOfStrangersCannotReadIt() throws Exception {
    Got got = send("GET /metrics HTTP/1.1\r\nHost: evil.example:80\r\n\r\n");
    assertEquals(403, got.status());
    for (String host : List.of("127.0.0.1:1", "localhost", "[::1]:6060", "127.1.2.3")) {
      assertEquals(200, send("GET /metrics HTTP/1.1\r\nHost: " + host + "\r\n\r\n").status(), host);
    }
  }

  @Test
  void aTokenIsAskedFor() throws Exception {
    stop();
    start("secret-7");
    assertEquals(401, get("/metrics").status());
    assertEquals(401, get("/metrics", "Authorization: Bearer secret-8").status());
    assertEquals(401, get("/metrics", "Authorization: Basic !!!").status());
    assertEquals(200, get("/metrics", "Authorization: Bearer secret-7").status());
    String basic =
        Base64.getEncoder().encodeToString("me:secret-7".getBytes(StandardCharsets.UTF_8));
    assertEquals(200, get("/metrics", "Authorization: Basic " + basic).status());
    assertEquals(200, get("/healthz").status(), "for whoever keeps the JVM alive");
    String all = get("/debug/pprof/", "Authorization: Bearer secret-7").text();
    assertFalse(all.contains("secret"), "never shown");
  }

  @Test
  void twoHundredScrapesAtOnceAreServed() throws Exception {
    engine.sampleNow(1, MILLI);
    ConcurrentLinkedQueue<Integer> statuses = new ConcurrentLinkedQueue<>();
    List<Thread> clients = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      clients.add(
          new Thread(
              () -> {
                try {
                  Got got = get("/debug/pprof/profile?seconds=1");
                  assertEquals(List.of(), new PprofRules(got.body()).broken);
                  statuses.add(got.status());
                } catch (IOException e) {
                  statuses.add(-1);
                }
              }));
    }
    clients.forEach(Thread::start);
    for (Thread client : clients) {
      client.join();
    }
    assertEquals(
        200, statuses.stream().filter(status -> status == 200).count(), statuses.toString());
    assertEquals(List.of(99), engine.rates, "nothing is attached per scrape");
  }

  /** Clients that send nothing, or a byte now and then, are cut off, and cost nobody his turn. */
  @Test
  void slowClientsAreCutOff() throws Exception {
    List<Socket> slow = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      Socket socket = new Socket("127.0.0.1", port);
      socket.getOutputStream().write("GET / HT".getBytes(StandardCharsets.ISO_8859_1));
      slow.add(socket);
    }
    assertEquals(200, get("/healthz").status());
    boolean cut = false;
    while (!cut) { // bounded by the test's timeout
      Thread.sleep(200);
      try {
        slow.get(0).getOutputStream().write('x');
        slow.get(0).getOutputStream().flush();
      } catch (IOException e) {
        cut = true;
      }
    }
    for (Socket socket : slow) {
      socket.close();
    }
    assertEquals(200, get("/healthz").status());
  }
}
