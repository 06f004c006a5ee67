package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.bench.FaultThroughput;
import io.jebpf.it.bench.FaultThroughput.Run;
import io.jebpf.it.bench.FaultThroughput.Server;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a server that fails costs the application. */
@KernelTest
class DeliveryCostTest {
  private static final double THROUGHPUT_MIN = 0.5;

  @TempDir Path directory;

  /**
   * A slice of {@code make bench}: what the application gets done for its CPU beside a server that
   * takes connections and says nothing, in parts of what it does beside one that is well. The aim
   * is no difference; half of it is lost only when something of ours spins or keeps it waiting.
   */
  @Test
  void aServerThatHangsCostsTheApplicationNothing() throws Exception {
    FaultThroughput bench = new FaultThroughput(directory, 2, 1);
    Map<Server, List<Run>> runs =
        bench.run(1, Server.HANGS_AT_ONCE, Server.REFUSES, Server.WELL); // what is slow at first
    double well = FaultThroughput.median(runs.get(Server.WELL), true);
    for (Server server : List.of(Server.HANGS_AT_ONCE, Server.REFUSES)) {
      double ratio = FaultThroughput.median(runs.get(server), true) / well;
      assertTrue(ratio > THROUGHPUT_MIN, server + ": " + ratio + " " + runs);
    }
  }
}
