package io.jebpf.agent.history;

import io.jebpf.agent.window.EventLog;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.VarintReader;

/**
 * Reads one {@link Segment}: first its tables, then its events one by one into a sink. Owner: one
 * thread.
 */
public final class SegmentReader {
  private final VarintReader in;
  private final String[] strings; // those that were asked for
  private final int[] texts;
  private final VarintReader textBytes;
  private final Mapping[] mappings;
  private final int[] functionNames;
  private final int[] functionFiles;
  private final int[] locationFunctions;
  private final int[] locationMappings;
  private final int[] lines;
  private final long[] addresses;
  private final int[] parents;
  private final int[] nodeLocations;
  private final Labels[] labels;
  private final int[] rowNodes;
  private final int[] rowLabels;
  private final int[] waitNodes;
  private final int[] waitLabels;
  private final double scale;

  /** Gets the events. Nodes and label sets are numbers of the segment. */
  public interface Sink {
    /**
     * @param weight CPU time that the sample stands for, in nanoseconds
     */
    void sample(long timeNanos, int node, int labels, double weight);

    /** As {@link EventLog.Sink#wait}. */
    void wait(int node, int labels, long from, long turn, long end, double weight, double count);
  }

  public SegmentReader(Segment segment) {
    VarintReader whole = new VarintReader(segment.content());
    strings = new String[whole.count()];
    texts = new int[strings.length];
    textBytes = whole.nested();
    for (int i = 0; i < strings.length; i++) {
      texts[i] = textBytes.position();
      textBytes.skipText();
    }
    in = whole.nested();
    mappings = readMappings();
    functionNames = new int[in.count()];
    functionFiles = new int[functionNames.length];
    readPairs(functionNames, functionFiles, 0);
    locationFunctions = new int[in.count()];
    locationMappings = new int[locationFunctions.length];
    lines = new int[locationFunctions.length];
    addresses = new long[locationFunctions.length];
    for (int i = 0; i < lines.length; i++) {
      locationFunctions[i] = in.count();
      locationMappings[i] = in.count();
      lines[i] = in.count();
      addresses[i] = in.signed();
    }
    parents = new int[in.count()];
    nodeLocations = new int[parents.length];
    readPairs(parents, nodeLocations, 1);
    for (int node = 1; node < parents.length; node++) {
      parents[node] = node - parents[node];
    }
    labels = readLabels();
    rowNodes = new int[in.count()];
    rowLabels = new int[rowNodes.length];
    readPairs(rowNodes, rowLabels, 0);
    waitNodes = new int[in.count()];
    waitLabels = new int[waitNodes.length];
    readPairs(waitNodes, waitLabels, 0);
    scale = in.real();
  }

  private Mapping[] readMappings() {
    Mapping[] read = new Mapping[in.count()];
    for (int i = 0; i < read.length; i++) {
      String file = string(in.count());
      long start = in.signed();
      long limit = in.signed();
      long offset = in.signed();
      String buildId = string(in.count());
      Mapping.Kind kind = Mapping.Kind.values()[in.count()];
      read[i] = new Mapping(file, start, limit, offset, buildId, kind);
    }
    return read;
  }

  private Labels[] readLabels() {
    Labels[] read = new Labels[in.count()];
    for (int i = 0; i < read.length; i++) {
      Labels set = Labels.NONE;
      for (int pairs = in.count(); pairs > 0; pairs--) {
        String key = string(in.count());
        set = set.with(key, string(in.count()));
      }
      read[i] = set;
    }
    return read;
  }

  private void readPairs(int[] first, int[] second, int start) {
    for (int i = start; i < first.length; i++) {
      first[i] = in.count();
      second[i] = in.count();
    }
  }

  /** Most profiles need a part of them. */
  private String string(int number) {
    if (strings[number] == null) {
      strings[number] = textBytes.textAt(texts[number]);
    }
    return strings[number];
  }

  /** Reads the events; to be called once. */
  public void read(Sink sink) {
    EventLog.read(
        in,
        new EventLog.Sink() {
          @Override
          public void sample(long timeNanos, int row, long weight) {
            sink.sample(timeNanos, rowNodes[row], rowLabels[row], weight * scale);
          }

          @Override
          public void wait(int row, long from, long turn, long end, double weight, double count) {
            sink.wait(waitNodes[row], waitLabels[row], from, turn, end, weight, count);
          }
        });
    VarintReader open = in.nested();
    while (open.hasMore()) {
      int node = open.count();
      int set = open.count();
      long from = open.signed();
      long turn = from + open.number();
      long end = turn + open.number();
      sink.wait(node, set, from, turn, end, 1, open.number());
    }
  }

  /** Nodes have numbers below this; 0 is the root of all stacks. */
  public int nodes() {
    return parents.length;
  }

  public int parent(int node) {
    return parents[node];
  }

  public int location(int node) {
    return nodeLocations[node];
  }

  public int locations() {
    return lines.length;
  }

  public Mapping mapping(int location) {
    return mappings[locationMappings[location]];
  }

  public String function(int location) {
    return string(functionNames[locationFunctions[location]]);
  }

  public String file(int location) {
    return string(functionFiles[locationFunctions[location]]);
  }

  public int line(int location) {
    return lines[location];
  }

  public long address(int location) {
    return addresses[location];
  }

  public int labelSets() {
    return labels.length;
  }

  public Labels labels(int number) {
    return labels[number];
  }
}
