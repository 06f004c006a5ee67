package io.jebpf.it.receiver;

import io.jebpf.agent.pprof.ProfileEncoder;
import io.jebpf.agent.pprof.ProfileHeader;
import io.jebpf.agent.pprof.ProfileKind;
import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import io.jebpf.agent.window.Window.FrameClass;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/** Profiles as the agent writes them, of made-up samples. */
public final class SyntheticProfiles {
  private static final Mapping MAIN = Mapping.ofFile("/usr/lib/jvm/bin/java");

  private SyntheticProfiles() {}

  private static void resolve(Window window, long head, long detail) {
    window.define(
        head % 5 == 0 ? MAIN : Mapping.JVM,
        0,
        "app.Type" + head + ".method" + detail,
        "app/Type" + head + ".java",
        (int) (10 + detail % 100),
        FrameClass.RESOLVED);
  }

  /** One with a handful of stacks of 20 threads. */
  public static byte[] small(long startMillis) {
    return cpu(startMillis, 60, 12, 20, Map.of());
  }

  /**
   * A CPU profile.
   *
   * @param stacks different stacks
   * @param depth frames of each
   * @param threads named {@code pool-1-thread-<n>}
   */
  public static byte[] cpu(
      long startMillis, int stacks, int depth, int threads, Map<String, String> labels) {
    Window window = new Window(new Window.Limits(64_000, 2_000_000, 64_000, 0), MAIN);
    for (int i = 0; i < stacks; i++) {
      int node = Window.ROOT;
      for (int frame = 0; frame < depth; frame++) {
        node =
            window.push(
                node, frame % 40, frame == depth - 1 ? i : frame, SyntheticProfiles::resolve);
      }
      Labels thread = Labels.of(LabelKey.THREAD, "pool-1-thread-" + i % threads);
      window.add(node, window.labels(thread), 1_000_000 + i, 0);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      ProfileEncoder.encode(
          window,
          ProfileKind.CPU,
          new ProfileHeader(
              startMillis * 1_000_000,
              10_000_000_000L,
              10_101_010,
              List.of("service=test"),
              labels),
          out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }
}
