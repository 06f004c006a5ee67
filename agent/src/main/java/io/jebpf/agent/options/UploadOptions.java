package io.jebpf.agent.options;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Where profiles are sent to.
 *
 * @param servers none: nothing is sent, and no spool is made
 * @param spool directory under which profiles wait
 */
public record UploadOptions(List<ServerOptions> servers, Path spool) {
  /** Nothing is sent. */
  public static final UploadOptions OFF = new UploadOptions(List.of(), Path.of(""));

  public UploadOptions {
    servers = List.copyOf(servers);
  }

  public boolean isOn() {
    return !servers.isEmpty();
  }

  /** As key=value, each with a comma in front; without anything secret. */
  String describe() {
    return isOn()
        ? servers.stream()
            .map(server -> "," + server.kind().key() + "=" + server.url())
            .collect(Collectors.joining("", "", ",spool=" + spool))
        : "";
  }

  /** For the start line, with a comma in front; empty when nothing is sent. */
  public String startText() {
    return servers.stream()
        .map(
            server ->
                ", sent to "
                    + (server.kind() == ServerKind.OTLP ? "otlp (experimental) " : "")
                    + server.url())
        .collect(Collectors.joining());
  }
}
