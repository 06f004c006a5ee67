package io.jebpf.agent.options;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the options about servers. */
final class UploadOptionReader {
  private final Map<Option, String> given;

  /** A value that cannot be used, and what can. */
  static final class BadValue extends Exception {
    private static final long serialVersionUID = 1L;
    private final transient Option option;
    private final String choices;

    BadValue(Option option, String choices) {
      super(choices);
      this.option = option;
      this.choices = choices;
    }

    Option option() {
      return option;
    }

    String choices() {
      return choices;
    }
  }

  UploadOptionReader(Map<Option, String> given) {
    this.given = Map.copyOf(given);
  }

  UploadOptions read(Path standardSpool, long pyroscopeAgeNanos) throws BadValue {
    List<ServerOptions> servers = new ArrayList<>();
    if (given.containsKey(Option.PYROSCOPE)) {
      servers.add(
          server(
              ServerKind.PYROSCOPE,
              Option.PYROSCOPE,
              secret(Option.PYROSCOPE_TOKEN, Option.PYROSCOPE_TOKEN_FILE),
              Option.PYROSCOPE_CA,
              pyroscopeAgeNanos));
    }
    if (given.containsKey(Option.PARCA)) {
      servers.add(
          server(
              ServerKind.PARCA,
              Option.PARCA,
              secret(Option.PARCA_TOKEN, Option.PARCA_TOKEN_FILE),
              Option.PARCA_CA,
              0));
    }
    if (given.containsKey(Option.OTLP)) {
      servers.add(
          server(
              ServerKind.OTLP,
              Option.OTLP,
              secret(Option.OTLP_TOKEN, Option.OTLP_TOKEN_FILE),
              Option.OTLP_CA,
              0));
    }
    return new UploadOptions(servers, path(Option.SPOOL).orElse(standardSpool));
  }

  private ServerOptions server(
      ServerKind kind, Option key, Optional<Secret> token, Option ca, long ageNanos)
      throws BadValue {
    URI url = url(key);
    Optional<String> user = Optional.empty();
    Optional<Secret> password = Optional.empty();
    if (kind == ServerKind.PYROSCOPE) {
      user = Optional.ofNullable(given.get(Option.PYROSCOPE_USER));
      password = secret(Option.PYROSCOPE_PASSWORD, Option.PYROSCOPE_PASSWORD_FILE);
    }
    String login = url.getRawUserInfo();
    if (login != null) {
      int colon = login.indexOf(':');
      user = Optional.of(decoded(colon < 0 ? login : login.substring(0, colon)));
      password = Optional.of(Secret.ofText(colon < 0 ? "" : decoded(login.substring(colon + 1))));
    }
    String tenant =
        kind == ServerKind.PYROSCOPE ? given.getOrDefault(Option.PYROSCOPE_TENANT, "") : "";
    if (!tenant.chars().allMatch(c -> c > ' ' && c < 127)) {
      throw new BadValue(Option.PYROSCOPE_TENANT, "printable ASCII characters");
    }
    return new ServerOptions(
        kind, withoutLogin(url), user, password, token, tenant, path(ca), ageNanos);
  }

  private URI url(Option key) throws BadValue {
    try {
      URI url = new URI(given.get(key));
      boolean http = "http".equalsIgnoreCase(url.getScheme());
      boolean https = "https".equalsIgnoreCase(url.getScheme());
      if ((http || https)
          && url.getHost() != null
          && url.getRawQuery() == null
          && url.getRawFragment() == null) {
        return url;
      }
    } catch (URISyntaxException e) {
      // The exception's text has the whole value, and with it maybe a password.
      throw new BadValue(key, form());
    }
    throw new BadValue(key, form());
  }

  private static String form() {
    return "http://host:port or https://host:port, with a path if the server has one";
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  /** Scheme and the rest, without the user information and a slash at the end. */
  private static URI withoutLogin(URI url) {
    String port = url.getPort() < 0 ? "" : ":" + url.getPort();
    String path = url.getRawPath() == null ? "" : url.getRawPath().replaceAll("/+$", "");
    return URI.create(
        url.getScheme().toLowerCase(java.util.Locale.ROOT) + "://" + url.getHost() + port + path);
  }

  private Optional<Secret> secret(Option text, Option file) throws BadValue {
    if (given.containsKey(text)) {
      if (given.get(text).isEmpty()) {
        throw new BadValue(text, "texts of at least one character");
      }
      return Optional.of(Secret.ofText(given.get(text)));
    }
    return path(file).map(Secret::ofFile);
  }

  private Optional<Path> path(Option option) throws BadValue {
    String value = given.get(option);
    if (value == null) {
      return Optional.empty();
    }
    try {
      if (!value.isEmpty()) {
        return Optional.of(Path.of(value).toAbsolutePath());
      }
    } catch (InvalidPathException e) {
      throw new BadValue(option, "paths of this system");
    }
    throw new BadValue(option, "a " + option.type().form());
  }
}
