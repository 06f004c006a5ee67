package io.jebpf.it.receiver;

import io.jebpf.agent.options.ServerKind;
import io.jebpf.agent.options.ServerOptions;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Lets profiles wait and then sends them, in a JVM of little memory. Arguments: directory, how many
 * profiles, the URLs of the two servers, steps of two seconds to send for, a profile. Prints {@code
 * bytes=<of one profile>}, {@code waited=<n>} and {@code sent=<n>}.
 */
public final class SpoolMemory {
  private SpoolMemory() {}

  public static void main(String[] args) throws Exception {
    URI url = URI.create(args[2]);
    SenderHarness harness =
        new SenderHarness(
            Path.of(args[0]),
            ServerOptions.of(ServerKind.PYROSCOPE, url),
            ServerOptions.of(ServerKind.PARCA, URI.create(args[3])));
    int count = Integer.parseInt(args[1]);
    long start = System.currentTimeMillis() - 1_000_000;
    byte[] profile = Files.readAllBytes(Path.of(args[5]));
    for (int i = 0; i < count; i++) {
      harness.sender().put("cpu", start + i, profile);
    }
    System.out.println("bytes=" + profile.length);
    System.out.println("waited=" + harness.figure("parca.waiting"));
    for (int i = 0; i < Integer.parseInt(args[4]); i++) {
      harness.run(2_000);
    }
    System.out.println("sent=" + harness.figure("parca.sent"));
  }
}
