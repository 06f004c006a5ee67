package io.jebpf.agent.upload;

import io.jebpf.agent.upload.Verdict.Kind;

/** What HTTP status codes mean, for the servers that tell the truth with them. */
final class HttpVerdicts {
  private static final int GATEWAY_TIMEOUT = 504;

  private HttpVerdicts() {}

  static Verdict of(Reply.Answer answer) {
    Kind kind = kind(answer);
    boolean uncertain = kind == Kind.SUSPECT || answer.status() == GATEWAY_TIMEOUT;
    return new Verdict(kind, answer.shown(), answer.retryAfterMillis(), uncertain);
  }

  private static Kind kind(Reply.Answer answer) {
    int status = answer.status();
    if (status >= 200 && status < 300) {
      return Kind.DONE;
    }
    return switch (status) {
      case 401, 403, 407 -> Kind.DENIED;
      case 408, 425, 429, 499, 502, 503, 504 -> Kind.RETRY;
      case 409 -> answer.text().contains("already_exists") ? Kind.DONE : Kind.RETRY;
      case 422, 500 -> Kind.SUSPECT; // as often the server's trouble as the profile's fault
      case 501, 505 -> Kind.REFUSED;
      default -> {
        if (status >= 500) {
          yield Kind.RETRY;
        }
        yield status >= 400 ? Kind.REFUSED : Kind.DENIED; // a redirect is somebody else's page
      }
    };
  }
}
