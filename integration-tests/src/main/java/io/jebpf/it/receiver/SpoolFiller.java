package io.jebpf.it.receiver;

import io.jebpf.agent.options.ServerKind;
import io.jebpf.agent.options.ServerOptions;
import java.net.URI;
import java.nio.file.Path;

/**
 * Puts profiles into a spool for servers that are not there, until it is killed. Prints the key of
 * each when it is in. Argument: directory.
 */
public final class SpoolFiller {
  private SpoolFiller() {}

  public static void main(String[] args) throws Exception {
    URI nobody = URI.create("http://127.0.0.1:1");
    SenderHarness harness =
        new SenderHarness(
            Path.of(args[0]),
            ServerOptions.of(ServerKind.PYROSCOPE, nobody),
            ServerOptions.of(ServerKind.PARCA, nobody));
    long start = System.currentTimeMillis() - 1_000_000;
    for (int i = 0; ; i++) {
      long at = start + ProcessHandle.current().pid() % 1000 * 100 + i;
      byte[] profile = SyntheticProfiles.cpu(at, 400, 20, 4, java.util.Map.of());
      harness.sender().put("cpu", at, profile);
      System.out.println("process_cpu@" + at * 1_000_000);
    }
  }
}
