package io.jebpf.it.upload;

import io.jebpf.agent.options.ServerKind;
import io.jebpf.agent.options.ServerOptions;
import io.jebpf.it.receiver.HttpReceiver;
import io.jebpf.it.receiver.Received;
import java.net.URI;
import java.util.List;

/** What the tests of the sender have in common. */
final class Uploads {
  private Uploads() {}

  static ServerOptions at(ServerKind kind, HttpReceiver http) {
    return ServerOptions.of(kind, URI.create(http.url()));
  }

  /** A minute ago, in milliseconds: a window that is over. */
  static long now() {
    return System.currentTimeMillis() - 60_000;
  }

  /** Sum of the second value of all samples. */
  static long weight(List<Received> received) {
    return received.stream()
        .flatMap(each -> each.profile().stacks().stream())
        .mapToLong(stack -> stack.values()[1])
        .sum();
  }
}
