package io.jebpf.it.context;

import com.sun.net.httpserver.HttpServer;
import io.jebpf.api.Labels;
import io.jebpf.it.workload.AgentGate;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * Jetty and the JDK's HTTP server, and a client of both, in one JVM; whatever traces them comes
 * from outside. Each request burns CPU and waits in a method named after its path. Arguments:
 * requests of each kind.
 */
public final class ServletLoad {
  private static final int BURN_NANOS = 3_000_000;
  private static final int WAIT_MILLIS = 3;

  private static volatile long sink;

  private ServletLoad() {}

  /** Serves /orders and /users. */
  public static final class Work extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      if (request.getPathInfo() == null || request.getServletPath().equals("/orders")) {
        orders();
      } else {
        Labels.with("tenant", "acme", ServletLoad::users);
      }
      response.getWriter().write("done");
    }
  }

  public static void main(String[] arguments) throws Exception {
    Server jetty = new Server();
    ServerConnector connector = new ServerConnector(jetty);
    connector.setHost("127.0.0.1");
    jetty.addConnector(connector);
    ServletContextHandler context = new ServletContextHandler("/");
    context.addServlet(new ServletHolder(new Work()), "/orders/*");
    context.addServlet(new ServletHolder(new Work()), "/users/*");
    jetty.setHandler(context);
    jetty.start();
    HttpServer plain =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    plain.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    plain.createContext(
        "/plain",
        exchange -> {
          plain();
          byte[] body = "done".getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    plain.start();
    AgentGate.await();
    String base = "http://127.0.0.1:" + connector.getLocalPort();
    String other = "http://127.0.0.1:" + plain.getAddress().getPort();
    HttpClient client = HttpClient.newHttpClient();
    int requests = 0;
    while (requests < Integer.parseInt(arguments[0])) {
      Requests.get(client, base + "/orders/" + requests + "/items");
      Requests.get(client, base + "/users/" + requests++);
      Requests.get(client, other + "/plain/" + requests);
    }
    AgentGate.awaitFiles();
    jetty.stop();
    plain.stop(0);
    System.out.println("requests=" + 3 * requests);
    System.exit(0);
  }

  static void orders() {
    burnAndWait();
  }

  static void users() {
    burnAndWait();
  }

  static void plain() {
    burnAndWait();
  }

  private static void burnAndWait() {
    long end = System.nanoTime() + BURN_NANOS;
    long value = sink;
    while (System.nanoTime() < end) {
      for (int i = 0; i < 200; i++) {
        value = value * 6364136223846793005L + 1442695040888963407L;
      }
    }
    sink = value;
    try {
      Thread.sleep(WAIT_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
