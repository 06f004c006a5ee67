package io.jebpf.agent.cli;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;

/** The file that this command runs from. */
final class OwnJar {
  private OwnJar() {}

  /** Absolute, links followed. */
  static Path path() throws IOException {
    Module module = OwnJar.class.getModule();
    Optional<URI> location =
        Optional.ofNullable(module.getLayer())
            .flatMap(layer -> layer.configuration().findModule(module.getName()))
            .flatMap(resolved -> resolved.reference().location());
    if (location.isEmpty()) {
      throw new IOException("not started as: java -jar jebpf.jar");
    }
    return Path.of(location.get()).toRealPath();
  }
}
