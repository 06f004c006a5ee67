package io.jebpf.agent.picture;

import io.jebpf.agent.pprof.ProfileData;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import one.convert.Arguments;
import one.convert.CallStack;
import one.convert.FlameGraph;

/**
 * Flame graphs as one HTML page each, drawn by async-profiler's converter from pprof profiles. The
 * page needs no network. Thread-safe; a picture takes about as much memory as the profile unpacked.
 */
public final class FlameGraphs {
  /** Frames that are narrower than this share of the whole are left out: in percent. */
  private static final String MIN_WIDTH_PERCENT = "0.02";

  private FlameGraphs() {}

  /**
   * Draws a profile: its last sample type, which is the time in ours.
   *
   * @param profile a pprof, gzipped or not
   * @param title shown above the picture, plain text
   * @throws IOException when the bytes are no profile
   */
  public static String html(byte[] profile, String title) throws IOException {
    return html(ProfileData.read(profile), title);
  }

  /** As {@link #html(byte[], String)}, of a profile that was read. */
  public static String html(ProfileData profile, String title) throws IOException {
    int value = mainValue(profile);
    FlameGraph graph = new FlameGraph(arguments(title));
    add(graph, profile, value);
    return page(graph, unit(profile, value));
  }

  /**
   * Draws what changed from one profile to another: red grew, blue shrank, yellow is new. Values
   * are shares, so that profiles of different length or load can be compared.
   *
   * @throws IOException when the bytes are no profiles
   */
  public static String difference(byte[] before, byte[] after, String title) throws IOException {
    return difference(ProfileData.read(before), ProfileData.read(after), title);
  }

  /** As {@link #difference(byte[], byte[], String)}, of profiles that were read. */
  public static String difference(ProfileData old, ProfileData now, String title)
      throws IOException {
    int value = mainValue(now);
    int oldValue = old.valueIndex(now.sampleTypes().get(value).type());
    double scale = (double) sum(now, value) / Math.max(1, sum(old, oldValue));
    FlameGraph base = new FlameGraph(arguments(title, "--diff"));
    addScaled(base, old, oldValue, scale);
    FlameGraph graph = new FlameGraph(arguments(title, "--diff"));
    add(graph, now, value);
    graph.diff(base);
    return page(graph, unit(now, value));
  }

  /** Nanoseconds if there are any, else the last, which is the main one of most producers. */
  private static int mainValue(ProfileData profile) throws IOException {
    List<ProfileData.SampleType> types = profile.sampleTypes();
    if (types.isEmpty()) {
      throw new IOException("the profile has no sample type");
    }
    for (int i = 0; i < types.size(); i++) {
      if (types.get(i).unit().equals("nanoseconds")) {
        return i; // off-CPU profiles have a second one, of which it is the whole
      }
    }
    return types.size() - 1;
  }

  private static String unit(ProfileData profile, int value) {
    return profile.sampleTypes().get(value).unit();
  }

  private static long sum(ProfileData profile, int value) {
    return profile.samples().stream().mapToLong(sample -> sample.values()[value]).sum();
  }

  private static Arguments arguments(String title, String... more) {
    String[] all = new String[more.length + 5];
    all[0] = "--title";
    all[1] = escape(title);
    all[2] = "--minwidth";
    all[3] = MIN_WIDTH_PERCENT;
    all[4] = "--inverted"; // the root at the top: deep stacks would begin below the window's end
    System.arraycopy(more, 0, all, 5, more.length);
    return new Arguments(all);
  }

  private static void add(FlameGraph graph, ProfileData profile, int value) {
    addScaled(graph, profile, value, 1);
  }

  private static void addScaled(FlameGraph graph, ProfileData profile, int value, double scale) {
    CallStack stack = new CallStack();
    for (ProfileData.Sample sample : profile.samples()) {
      long weight = Math.round(sample.values()[value] * scale);
      if (weight <= 0) {
        continue; // nothing to draw
      }
      stack.clear();
      for (int i = sample.frames().size() - 1; i >= 0; i--) {
        ProfileData.Frame frame = sample.frames().get(i);
        stack.push(FrameColour.name(frame), FrameColour.of(frame));
      }
      graph.addSample(stack, weight);
    }
  }

  private static String page(FlameGraph graph, String unit) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream(1 << 16);
    graph.dump(out);
    return PageEdits.apply(out.toString(StandardCharsets.UTF_8), unit);
  }

  static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
