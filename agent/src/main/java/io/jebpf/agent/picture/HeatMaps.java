package io.jebpf.agent.picture;

import io.jebpf.agent.history.Segment;
import io.jebpf.agent.history.SegmentReader;
import io.jebpf.agent.pprof.ProfileData;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import one.convert.Arguments;
import one.convert.Frame;
import one.convert.JfrConverter;
import one.heatmap.Heatmap;

/**
 * Time as a picture: one HTML page with a cell for every 20 ms of the past, the darker the more
 * samples of running threads it has; a click shows the flame graph of that moment, a second click
 * that of the stretch between. Drawn by async-profiler's converter from the flight recorder's
 * segments. Thread-safe.
 */
public final class HeatMaps {
  private HeatMaps() {}

  /**
   * Draws the past.
   *
   * @param segments the history, the oldest first
   * @param fromNanos first moment, on the clock of System.nanoTime
   * @param wallMinusNanos wall-clock time in nanoseconds since 1970 less System.nanoTime
   * @throws IOException when there is no sample in that time
   */
  public static String html(
      List<Segment> segments, long fromNanos, long wallMinusNanos, String title)
      throws IOException {
    Names names = new Names();
    Heatmap map = new Heatmap(new Arguments("--title", FlameGraphs.escape(title), "--dot"), names);
    Drawing drawing = new Drawing(map, names, fromNanos, wallMinusNanos);
    segments.forEach(drawing::add);
    if (drawing.samples == 0) {
      throw new IOException("there is no sample in that time");
    }
    map.finish();
    ByteArrayOutputStream out = new ByteArrayOutputStream(1 << 18);
    map.dump(new PrintStream(out, true, StandardCharsets.UTF_8));
    return out.toString(StandardCharsets.UTF_8);
  }

  /** Puts the samples of segments on the map; stacks get numbers of their own. */
  private static final class Drawing {
    private final Heatmap map;
    private final Names names;
    private final long fromNanos;
    private final long wallMinusNanos;
    private int stacks;
    private long samples;

    Drawing(Heatmap map, Names names, long fromNanos, long wallMinusNanos) {
      this.map = map;
      this.names = names;
      this.fromNanos = fromNanos;
      this.wallMinusNanos = wallMinusNanos;
    }

    void add(Segment segment) {
      SegmentReader reader = new SegmentReader(segment);
      int[] known = new int[reader.nodes()]; // node → stack, 0 for none yet
      reader.read(
          new SegmentReader.Sink() {
            @Override
            public void sample(long timeNanos, int node, int labels, double weight) {
              if (timeNanos < fromNanos) {
                return;
              }
              if (known[node] == 0) {
                known[node] = stack(reader, node);
              }
              map.addEvent(known[node], 0, 0, (byte) 0, (timeNanos + wallMinusNanos) / 1_000_000);
              samples++;
            }

            @Override
            public void wait(
                int node, int labels, long from, long turn, long end, double weight, double count) {
              // a wait has no moment of its own: the map is of running threads
            }
          });
    }

    private int stack(SegmentReader reader, int leaf) {
      List<Integer> locations = new ArrayList<>();
      for (int node = leaf; node != 0; node = reader.parent(node)) {
        locations.add(reader.location(node));
      }
      int size = locations.size();
      long[] methods = new long[size];
      int[] lines = new int[size];
      byte[] types = new byte[size];
      for (int i = 0; i < size; i++) {
        int location = locations.get(i);
        ProfileData.Frame frame =
            new ProfileData.Frame(
                reader.function(location), "", 0, reader.mapping(location).file());
        byte type = FrameColour.of(frame);
        methods[i] = names.number(FrameColour.name(frame));
        types[i] = type == FrameColour.MARKER ? Frame.TYPE_NATIVE : type;
        lines[i] = reader.line(location) << 16;
      }
      map.addStack(++stacks, methods, lines, types, size);
      return stacks;
    }
  }

  /** Gives the library the names that it would look up in a recording. */
  private static final class Names extends JfrConverter {
    private final Map<String, Integer> numbers = new HashMap<>();
    private final List<String> texts = new ArrayList<>();

    Names() {
      super(null, new Arguments());
    }

    int number(String name) {
      Integer known = numbers.get(name);
      if (known != null) {
        return known;
      }
      texts.add(name);
      numbers.put(name, texts.size() - 1);
      return texts.size() - 1;
    }

    @Override
    public String getMethodName(long method, byte type) {
      return texts.get((int) method);
    }

    @Override
    public StackTraceElement getStackTraceElement(long method, byte type, int location) {
      String name = texts.get((int) method);
      boolean java =
          type != Frame.TYPE_NATIVE && type != Frame.TYPE_CPP && type != Frame.TYPE_KERNEL;
      int dot = java ? name.lastIndexOf('.') : -1;
      return new StackTraceElement(
          dot < 0 ? "" : name.substring(0, dot), name.substring(dot + 1), null, location >>> 16);
    }
  }
}
