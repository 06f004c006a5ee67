package io.jebpf.agent.history;

import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import java.util.Arrays;
import java.util.List;

/**
 * What happened in a stretch of time, put together from the segments it touches: the samples taken
 * in {@code [from, to)}, and of each wait the part that lies there. Two stretches that meet add up
 * to the one that covers both: a wait is counted where its stretch ended. Owner: one thread.
 */
public final class Interval {
  /** For people and their tools; who uploads splits. All in all about 40 MB when full. */
  private static final Window.Limits LIMITS = new Window.Limits(1, 1 << 19, 1 << 18, 0);

  private static final int UNKNOWN = Integer.MIN_VALUE;

  private final long from;
  private final long to;
  private final Filter filter;
  private final Parts parts;
  private final Window window;

  /** What of a segment is wanted. */
  public enum Parts {
    SAMPLES,
    WAITS,
    BOTH
  }

  public Interval(long from, long to, Filter filter, Parts parts, Mapping mainBinary) {
    this.from = from;
    this.to = to;
    this.filter = filter;
    this.parts = parts;
    this.window = new Window(LIMITS, mainBinary);
  }

  /** What was added, as a window that can be encoded; CPU times are scaled as in the files. */
  public Window window() {
    return window;
  }

  public void add(List<Segment> segments) {
    for (Segment segment : segments) {
      if (segment.touches(from, to)) {
        SegmentReader reader = new SegmentReader(segment);
        reader.read(new Adding(reader));
      }
    }
  }

  /** Of one segment: what its numbers are in the window. */
  private final class Adding implements SegmentReader.Sink {
    private final SegmentReader reader;
    private final int[] nodes;
    private final int[] locations;
    private final int[] labels;
    private final byte[]
        accepted; // of a label set: 0 not asked yet; bits of a running and a waiting thread

    Adding(SegmentReader reader) {
      this.reader = reader;
      nodes = filled(reader.nodes());
      locations = filled(reader.locations());
      labels = filled(reader.labelSets());
      accepted = new byte[reader.labelSets()];
      nodes[Window.ROOT] = Window.ROOT;
    }

    private static int[] filled(int size) {
      int[] numbers = new int[size];
      Arrays.fill(numbers, UNKNOWN);
      return numbers;
    }

    @Override
    public void sample(long timeNanos, int node, int set, double weight) {
      if (parts != Parts.WAITS && timeNanos >= from && timeNanos < to && accepts(set, true)) {
        window.add(node(node), labels(set), Math.round(weight), timeNanos);
      }
    }

    @Override
    public void wait(
        int node, int set, long start, long turn, long end, double weight, double count) {
      if (parts == Parts.SAMPLES || end <= from || start >= to || !accepts(set, false)) {
        return;
      }
      boolean counted = count > 0 && end - 1 >= from && end - 1 < to;
      long first = Math.max(from, start);
      long last = Math.min(to, end);
      long turned = Math.min(last, Math.max(first, turn));
      window.addWait(node(node), labels(set), weight, counted, first, turned, last);
    }

    private boolean accepts(int set, boolean running) {
      int bit = running ? 1 : 2;
      if ((accepted[set] & bit << 2) == 0) {
        boolean answer = filter.accepts(reader.labels(set), running);
        accepted[set] |= (byte) (bit << 2 | (answer ? bit : 0));
      }
      return (accepted[set] & bit) != 0;
    }

    private int labels(int set) {
      if (labels[set] == UNKNOWN) {
        Labels texts = reader.labels(set);
        labels[set] = window.labels(texts);
      }
      return labels[set];
    }

    /** Parents first; a loop, for stacks may be deep. */
    private int node(int node) {
      int missing = 0;
      for (int at = node; nodes[at] == UNKNOWN; at = reader.parent(at)) {
        missing++;
      }
      int[] path = new int[missing];
      for (int at = node; nodes[at] == UNKNOWN; at = reader.parent(at)) {
        path[--missing] = at;
      }
      for (int at : path) {
        nodes[at] = window.child(nodes[reader.parent(at)], location(reader.location(at)));
      }
      return nodes[node];
    }

    private int location(int location) {
      if (locations[location] == UNKNOWN) {
        locations[location] =
            window.location(
                reader.mapping(location),
                reader.address(location),
                reader.function(location),
                reader.file(location),
                reader.line(location));
      }
      return locations[location];
    }
  }
}
