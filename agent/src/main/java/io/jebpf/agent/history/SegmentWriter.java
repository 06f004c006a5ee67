package io.jebpf.agent.history;

import io.jebpf.agent.offcpu.OpenWaitSink;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.VarintWriter;
import io.jebpf.agent.window.Window;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes a {@link Segment} of a window. Waits that go on can be added to it without being put into
 * the window: then it is the picture of an open window at one moment. Owner: the thread that owns
 * the window, and for one segment.
 *
 * <pre>
 * strings   mappings   functions   locations   nodes   label sets   sample rows   wait rows   scale   log   open waits
 * </pre>
 *
 * Each part begins with its length; whatever is referred to comes before.
 */
public final class SegmentWriter implements OpenWaitSink {
  private static final int CAPACITY_FIRST = 1 << 14;

  private final Window window;
  private final Map<String, Integer> strings = new HashMap<>();
  private final VarintWriter texts = new VarintWriter(CAPACITY_FIRST);
  private final VarintWriter open = new VarintWriter(256);
  private long openFirst = Long.MAX_VALUE;
  private long openLast = Long.MIN_VALUE;

  public SegmentWriter(Window window) {
    this.window = window;
  }

  @Override
  public void wait(int node, int labels, long from, long turn, long now, boolean counted) {
    open.number(Math.max(node, 0)); // one without room has no stack
    open.number(labels);
    open.signed(from);
    open.number(turn - from);
    open.number(now - turn);
    open.number(counted ? 1 : 0);
    openFirst = Math.min(openFirst, from);
    openLast = Math.max(openLast, now - 1);
  }

  /** The segment, not compressed. */
  public Segment write(long serial, Mark begin, Mark end) {
    VarintWriter tables = new VarintWriter(CAPACITY_FIRST);
    writeMappings(tables);
    writeFunctions(tables);
    writeLocations(tables);
    writeNodes(tables);
    writeLabels(tables);
    writeRows(tables);
    tables.real(window.scale());
    window.log().writeTo(tables);
    tables.nested(open);
    VarintWriter whole = new VarintWriter(texts.size() + tables.size() + 16);
    whole.number(strings.size());
    whole.nested(texts);
    whole.nested(tables);
    return Segment.plain(
        serial,
        begin,
        end,
        Math.min(window.log().firstNanos(), openFirst),
        Math.max(window.log().lastNanos(), openLast),
        window.log().dropped(),
        whole.toBytes());
  }

  private void writeMappings(VarintWriter out) {
    List<Mapping> mappings = window.mappings();
    out.number(mappings.size());
    for (Mapping mapping : mappings) {
      out.number(string(mapping.file()));
      out.signed(mapping.start());
      out.signed(mapping.limit());
      out.signed(mapping.fileOffset());
      out.number(string(mapping.buildId()));
      out.number(mapping.kind().ordinal());
    }
  }

  private void writeFunctions(VarintWriter out) {
    out.number(window.functions());
    for (int i = 0; i < window.functions(); i++) {
      out.number(string(window.functionName(i)));
      out.number(string(window.functionFile(i)));
    }
  }

  private void writeLocations(VarintWriter out) {
    out.number(window.locations());
    for (int i = 0; i < window.locations(); i++) {
      out.number(window.functionOf(i));
      out.number(window.mappingOf(i));
      out.number(window.lineOf(i));
      out.signed(window.addressOf(i));
    }
  }

  /** A parent has a lower number than its children. */
  private void writeNodes(VarintWriter out) {
    out.number(window.nodes());
    for (int node = 1; node < window.nodes(); node++) {
      out.number(node - window.parent(node));
      out.number(window.location(node));
    }
  }

  private void writeLabels(VarintWriter out) {
    out.number(window.labelSets());
    for (int i = 0; i < window.labelSets(); i++) {
      Labels set = window.labelSet(i);
      out.number(set.size());
      for (int j = 0; j < set.size(); j++) {
        out.number(string(set.key(j)));
        out.number(string(set.text(j)));
      }
    }
  }

  private void writeRows(VarintWriter out) {
    out.number(window.rows());
    for (int row = 0; row < window.rows(); row++) {
      out.number(window.leaf(row));
      out.number(window.labelsNumber(row));
    }
    out.number(window.waitRows());
    for (int row = 0; row < window.waitRows(); row++) {
      out.number(window.waitLeaf(row));
      out.number(window.waitLabelsNumber(row));
    }
  }

  private int string(String text) {
    Integer known = strings.get(text);
    if (known != null) {
      return known;
    }
    texts.text(text);
    strings.put(text, strings.size());
    return strings.size() - 1;
  }
}
