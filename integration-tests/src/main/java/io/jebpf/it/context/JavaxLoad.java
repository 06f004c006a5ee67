package io.jebpf.it.context;

import io.jebpf.it.workload.AgentGate;
import io.jebpf.it.workload.Burn;
import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;

/**
 * A servlet of the old kind ({@code javax.servlet}) in Tomcat 9, and a client of it. Arguments:
 * directory for Tomcat's files, requests.
 */
public final class JavaxLoad {
  private static final int BURN_MILLIS = 3;

  private JavaxLoad() {}

  /** Burns CPU in a method of its own. */
  public static final class Work extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      orders();
      response.getWriter().write("done");
    }
  }

  public static void main(String[] arguments) throws Exception {
    Path base = Files.createDirectories(Path.of(arguments[0]));
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(base.toString());
    tomcat.setPort(0);
    Context context = tomcat.addContext("", base.toString());
    Tomcat.addServlet(context, "work", new Work());
    context.addServletMappingDecoded("/orders/*", "work");
    tomcat.getConnector().setProperty("address", "127.0.0.1");
    tomcat.start();
    AgentGate.await();
    String server = "http://127.0.0.1:" + tomcat.getConnector().getLocalPort();
    HttpClient client = HttpClient.newHttpClient();
    int requests = 0;
    while (requests < Integer.parseInt(arguments[1])) {
      Requests.get(client, server + "/orders/" + requests++ + "/items");
    }
    AgentGate.awaitFiles();
    tomcat.stop();
    tomcat.destroy();
    System.out.println("requests=" + requests);
    System.exit(0);
  }

  static void orders() {
    Burn.cpuMillis(BURN_MILLIS);
  }
}
