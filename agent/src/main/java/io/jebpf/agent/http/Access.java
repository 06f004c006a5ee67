package io.jebpf.agent.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Optional;

/**
 * Who may ask: with a token, those who have it, as bearer token or as password; without one, on the
 * loopback address, no pages of strangers that a browser was led to (the host they name is
 * another).
 *
 * @param token empty for none
 * @param loopback whether only this machine can connect
 */
public record Access(String token, boolean loopback) {
  private static final String BEARER = "Bearer ";
  private static final String BASIC = "Basic ";

  Optional<HttpResponse> refusal(HttpRequest request) {
    if (request.path().equals("/healthz")) {
      return Optional.empty(); // whoever keeps the JVM alive has no token
    }
    if (!token.isEmpty()) {
      return hasToken(request.header("authorization"))
          ? Optional.empty()
          : Optional.of(
              HttpResponse.error(401, "a token is needed: option http.token")
                  .with("WWW-Authenticate", "Basic realm=\"jebpf\""));
    }
    return loopback && !isLocal(request.header("host"))
        ? Optional.of(HttpResponse.error(403, "ask for 127.0.0.1 or localhost, or set http.token"))
        : Optional.empty();
  }

  private boolean hasToken(String authorization) {
    if (authorization.startsWith(BEARER)) {
      return equal(authorization.substring(BEARER.length()).strip());
    }
    if (authorization.startsWith(BASIC)) {
      try {
        byte[] bytes = Base64.getDecoder().decode(authorization.substring(BASIC.length()).strip());
        String userAndPassword = new String(bytes, StandardCharsets.UTF_8);
        return equal(userAndPassword.substring(userAndPassword.indexOf(':') + 1));
      } catch (IllegalArgumentException e) {
        return false;
      }
    }
    return false;
  }

  /** Takes as long whatever the difference. */
  private boolean equal(String given) {
    return MessageDigest.isEqual(
        given.getBytes(StandardCharsets.UTF_8), token.getBytes(StandardCharsets.UTF_8));
  }

  private static boolean isLocal(String host) {
    return host.isEmpty() || host.matches("(localhost|127(\\.\\d{1,3}){3}|\\[::1])(:\\d{1,5})?");
  }
}
