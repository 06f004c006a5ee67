package io.jebpf.agent.options;

import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;

/**
 * One server that profiles are sent to.
 *
 * @param kind what it is
 * @param url scheme, host, port and path prefix; no user information
 * @param user for basic authentication
 * @param password for basic authentication
 * @param token sent as bearer token
 * @param tenant sent as X-Scope-OrgID; empty for none
 * @param ca file of PEM certificates to trust instead of the JVM's
 * @param ageNanos profiles that are older than this are not sent; 0 sends all
 */
public record ServerOptions(
    ServerKind kind,
    URI url,
    Optional<String> user,
    Optional<Secret> password,
    Optional<Secret> token,
    String tenant,
    Optional<Path> ca,
    long ageNanos) {

  /** A server that asks for nothing. */
  public static ServerOptions of(ServerKind kind, URI url) {
    return new ServerOptions(
        kind, url, Optional.empty(), Optional.empty(), Optional.empty(), "", Optional.empty(), 0);
  }
}
