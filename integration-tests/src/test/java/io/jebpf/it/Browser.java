package io.jebpf.it;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.jebpf.it.workload.FreePort;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;

/**
 * A real browser without a screen: Chromium, by WebDriver. Its whole process tree ends on close.
 */
final class Browser implements AutoCloseable {
  private static final int READY_SECONDS = 120;
  private static final int CALL_SECONDS = 120;
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> ARGUMENTS =
      List.of(
          "--headless",
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
          "--window-size=1400,900");

  private final Process driver;
  private final HttpClient client = HttpClient.newHttpClient();
  private final String base;
  private String session = "";

  private Browser(Process driver, int port) {
    this.driver = driver;
    this.base = "http://127.0.0.1:" + port;
  }

  static Browser start(Path directory) throws Exception {
    Tools.need("chromium");
    Tools.need("chromedriver");
    int port = FreePort.find();
    Process driver =
        new ProcessBuilder("chromedriver", "--port=" + port)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("chromedriver.log").toFile())
            .start();
    Browser browser = new Browser(driver, port);
    try {
      browser.open(directory);
      return browser;
    } catch (Exception | Error e) {
      browser.close();
      throw e;
    }
  }

  private void open(Path directory) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(READY_SECONDS);
    while (!isReady()) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("chromedriver does not answer");
      }
      Thread.sleep(100);
    }
    ObjectNode options = JSON.createObjectNode();
    options.put("binary", "/usr/bin/chromium");
    ARGUMENTS.forEach(options.putArray("args")::add);
    options.withArray("args").add("--user-data-dir=" + directory.resolve("browser"));
    ObjectNode body = JSON.createObjectNode();
    ObjectNode wanted = body.putObject("capabilities").putObject("alwaysMatch");
    wanted.set("goog:chromeOptions", options);
    wanted.putObject("goog:loggingPrefs").put("browser", "ALL");
    session = "/session/" + call("POST", "/session", body).at("/sessionId").asText();
  }

  private boolean isReady() throws InterruptedException {
    try {
      return call("GET", "/status", JSON.createObjectNode()).at("/ready").asBoolean();
    } catch (IOException e) {
      return false;
    }
  }

  private JsonNode call(String method, String path, JsonNode body)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(base + path)).timeout(Duration.ofSeconds(CALL_SECONDS));
    request =
        method.equals("GET")
            ? request.GET()
            : request.POST(HttpRequest.BodyPublishers.ofString(body.toString()));
    JsonNode answer = JSON.readTree(client.send(request.build(), BodyHandlers.ofString()).body());
    if (answer.at("/value/error").isTextual()) {
      throw new IOException(path + ": " + answer.at("/value/message").asText());
    }
    return answer.get("value");
  }

  void load(Path page) throws Exception {
    ObjectNode body = JSON.createObjectNode().put("url", page.toUri().toString());
    call("POST", session + "/url", body);
  }

  /** Runs a script in the page; what it returns, as text. */
  String script(String script) throws Exception {
    ObjectNode body = JSON.createObjectNode().put("script", script);
    body.putArray("args");
    return call("POST", session + "/execute/sync", body).asText();
  }

  /** Presses and lets go the mouse at a point of the window. */
  void click(int x, int y) throws Exception {
    ObjectNode body = JSON.createObjectNode();
    ObjectNode mouse = body.putArray("actions").addObject();
    mouse.put("type", "pointer").put("id", "mouse");
    mouse.putObject("parameters").put("pointerType", "mouse");
    var actions = mouse.putArray("actions");
    actions.addObject().put("type", "pointerMove").put("duration", 50).put("x", x).put("y", y);
    actions.addObject().put("type", "pointerDown").put("button", 0);
    actions.addObject().put("type", "pointerUp").put("button", 0);
    call("POST", session + "/actions", body);
  }

  /** What the page and the browser complained about since the last call. */
  List<String> complaints() throws Exception {
    List<String> found = new ArrayList<>();
    call("POST", session + "/se/log", JSON.createObjectNode().put("type", "browser"))
        .forEach(entry -> found.add(entry.toString()));
    return found;
  }

  /** The window; also kept as a file for people. */
  BufferedImage screenshot(Path file) throws Exception {
    JsonNode png = call("GET", session + "/screenshot", JSON.createObjectNode());
    byte[] bytes = Base64.getDecoder().decode(png.asText());
    Files.write(file, bytes);
    return ImageIO.read(new ByteArrayInputStream(bytes));
  }

  @Override
  public void close() {
    List<ProcessHandle> tree = new ArrayList<>(driver.descendants().toList());
    tree.add(driver.toHandle());
    driver.destroy();
    tree.forEach(ProcessHandle::destroyForcibly);
    client.close();
  }
}
