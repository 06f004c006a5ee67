package io.jebpf.agent.http;

import io.jebpf.agent.jmx.ProfilerBean;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.options.HttpOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;

/** Opens the endpoint that the options ask for; a failure costs just that. */
public final class HttpEndpoint {
  private HttpEndpoint() {}

  /** Empty when it could not be opened, which the log says. */
  public static Optional<HttpServer> open(
      HttpOptions options, ProfilerBean.Source source, Metrics metrics, AgentLog log) {
    try {
      InetAddress host =
          options.host().isEmpty()
              ? InetAddress.getByAddress("localhost", new byte[] {127, 0, 0, 1})
              : InetAddress.getByName(options.host());
      Access access = new Access(options.token(), host.isLoopbackAddress());
      HttpServer server =
          HttpServer.open(
              new InetSocketAddress(host, options.port()),
              new Endpoints(source, access, metrics),
              log);
      metrics.add(text -> add(text, server));
      return Optional.of(server);
    } catch (IOException | RuntimeException e) {
      log.warn(Trouble.HTTP, options + ": " + e);
      return Optional.empty();
    }
  }

  private static void add(MetricsText text, HttpServer server) {
    text.counter("jebpf_http_requests_total", "Requests that were read", server.requests());
    text.counter(
        "jebpf_http_refused_total", "Connections sent away, being too many", server.refused());
    text.gauge("jebpf_http_connections", "Connections now", server.connections());
  }
}
