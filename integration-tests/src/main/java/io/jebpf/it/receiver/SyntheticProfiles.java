package io.jebpf.it.receiver;

import io.jebpf.agent.pprof.ProfileEncoder;
import io.jebpf.agent.pprof.ProfileHeader;
import io.jebpf.agent.pprof.ProfileKind;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import io.jebpf.agent.window.Window.FrameClass;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

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

  /** With other labels on each of its stacks. */
  public static byte[] labelled(
      long startMillis, int stacks, IntFunction<Map<String, String>> labels) {
    return encode(startMillis, stacks, 12, Map.of(), labels);
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
    return encode(
        startMillis, stacks, depth, labels, i -> Map.of("thread", "pool-1-thread-" + i % threads));
  }

  private static byte[] encode(
      long startMillis,
      int stacks,
      int depth,
      Map<String, String> labels,
      IntFunction<Map<String, String>> ofStack) {
    Window window = new Window(new Window.Limits(64_000, 2_000_000, 64_000, 0), MAIN);
    for (int i = 0; i < stacks; i++) {
      int node = Window.ROOT;
      for (int frame = 0; frame < depth; frame++) {
        node =
            window.push(
                node, frame % 40, frame == depth - 1 ? i : frame, SyntheticProfiles::resolve);
      }
      Labels all = Labels.NONE;
      for (Map.Entry<String, String> label : ofStack.apply(i).entrySet()) {
        all = all.with(label.getKey(), label.getValue());
      }
      window.add(node, window.labels(all), 1_000_000 + i, 0);
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
