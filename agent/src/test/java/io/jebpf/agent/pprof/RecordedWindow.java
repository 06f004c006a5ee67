package io.jebpf.agent.pprof;

import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;

/** The first 10 s of the H2 demo as they were recorded, put into a window again. */
public final class RecordedWindow {
  private static final Mapping MAIN = Mapping.ofFile("/usr/lib/jvm/bin/java");

  private RecordedWindow() {}

  public static ProfileData read(String kind) throws IOException {
    try (InputStream in =
        RecordedWindow.class.getResourceAsStream("/io/jebpf/agent/pprof/h2-" + kind + ".pb.gz")) {
      return ProfileData.read(in.readAllBytes());
    }
  }

  /** The header of a profile of it. */
  static ProfileHeader header(long periodNanos) throws IOException {
    return new ProfileHeader(
        1_795_000_000_123_456_789L,
        10_000_000_000L,
        periodNanos,
        read("offcpu").comments(),
        Map.of());
  }

  /** All its samples and waits, in an order that has nothing to do with their stacks. */
  public static Window window() throws IOException {
    Window window = new Window(Window.Limits.STANDARD, MAIN);
    for (ProfileData.Sample sample : mixed(read("cpu").samples())) {
      int node = leaf(window, sample.frames());
      int labels = labels(window, sample.labels());
      long count = sample.values()[0];
      for (long i = 0; i < count; i++) {
        long all = sample.values()[1];
        window.add(node, labels, all * (i + 1) / count - all * i / count, 0);
      }
    }
    for (ProfileData.Sample sample : mixed(read("offcpu").samples())) {
      int node = leaf(window, sample.frames());
      int labels = labels(window, sample.labels());
      long blocked = sample.values()[1];
      long runnable = sample.values()[2];
      window.addWait(node, labels, 1, true, 0, blocked, blocked + runnable);
    }
    return window;
  }

  private static List<ProfileData.Sample> mixed(List<ProfileData.Sample> samples) {
    List<ProfileData.Sample> mixed = new java.util.ArrayList<>(samples);
    java.util.Collections.shuffle(mixed, new java.util.Random(1));
    return mixed;
  }

  private static int leaf(Window window, List<ProfileData.Frame> frames) {
    int node = Window.ROOT;
    for (int i = frames.size() - 1; i >= 0; i--) {
      ProfileData.Frame frame = frames.get(i);
      Mapping mapping = Mapping.ofFile(frame.mapping());
      node =
          window.child(
              node, window.location(mapping, 0, frame.function(), frame.file(), frame.line()));
    }
    return node;
  }

  private static int labels(Window window, Map<String, String> texts) {
    Labels labels = Labels.NONE;
    for (Map.Entry<String, String> text : texts.entrySet()) {
      labels = labels.with(text.getKey(), text.getValue());
    }
    return window.labels(labels);
  }
}
