package io.jebpf.agent.context;

import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import io.jebpf.bpf.ContextTable;
import io.jebpf.bpf.ContextView;
import io.jebpf.bpf.SampleView;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;

/** Makes labels of what a thread worked for at a sample. Owner: thread "jebpf-reader". */
public final class ContextLabels {
  /** Different values of the application's own labels in a window; what is more becomes one. */
  static final int VALUES_MAX = 1_000;

  static final String OTHER = "[other]";

  /** Put before keys of the application that are the agent's own. */
  private static final String PREFIX = "user_";

  private static final long RECLAIM_NANOS = 1_000_000_000L;
  private static final int NESTED = 255; // see JebpfContext
  private static final HexFormat HEX = HexFormat.of();

  private final ThreadContexts contexts;
  private final ContextView view = new ContextView();
  private final Set<String> values = new HashSet<>();
  private String[] keys = {};
  private String[] rootNames = {};
  private long othered;
  private long reclaimedNanos;

  public ContextLabels(ThreadContexts contexts) {
    this.contexts = contexts;
  }

  /** Called often; does something once a second. */
  public void maintain(long nowNanos) {
    if (nowNanos - reclaimedNanos >= RECLAIM_NANOS) {
      reclaimedNanos = nowNanos;
      contexts.reclaim();
    }
  }

  /** A new window begins, with its own bound. */
  public void beginWindow() {
    values.clear();
  }

  /** What was instrumented, and what could not be kept. */
  public ContextCounters counters() {
    return contexts.counters(othered);
  }

  /** The labels of a sample's thread, added to others. */
  public Labels with(Labels others, SampleView sample) {
    return sample.context(view) ? with(others) : others;
  }

  /** The same of a thread that waits, by {@code Thread.threadId()}: of one that is on no stack. */
  public Labels with(Labels others, long threadId) {
    Optional<ContextTable> table = contexts.knownTable();
    return table.isPresent() && table.get().read(threadId, view) ? with(others) : others;
  }

  private Labels with(Labels others) {
    Labels labels = others;
    if (view.span() != 0) {
      labels =
          labels
              .with(
                  LabelKey.TRACE_ID,
                  HEX.toHexDigits(view.traceHigh()) + HEX.toHexDigits(view.traceLow()))
              .with(LabelKey.SPAN_ID, HEX.toHexDigits(view.span()))
              .with(LabelKey.ROOT_SPAN, rootName());
    }
    while (view.next()) {
      if (view.key() != NESTED) {
        labels = labels.with(key(view.key()), bounded(view.key(), view.text()));
      }
    }
    return labels;
  }

  private String rootName() {
    Optional<ContextTable> table = contexts.knownTable();
    if (table.isEmpty()) {
      return "";
    }
    int number =
        RootNames.number(
            table.get(), Long.reverseBytes(view.traceHigh()), Long.reverseBytes(view.traceLow()));
    if (number > rootNames.length) {
      rootNames = contexts.rootNames();
    }
    return number == 0 || number > rootNames.length ? "" : rootNames[number - 1];
  }

  private String bounded(int key, String text) {
    if (key == 0 || values.contains(text)) { // endpoints have a bound of their own
      return text;
    }
    if (values.size() >= VALUES_MAX) {
      othered++;
      return OTHER;
    }
    values.add(text);
    return text;
  }

  private String key(int number) {
    if (number >= keys.length) {
      String[] rawKeys = contexts.keys();
      keys = new String[rawKeys.length];
      for (int i = 0; i < rawKeys.length; i++) {
        keys[i] = i == 0 ? LabelKey.ENDPOINT : sane(rawKeys[i]);
      }
    }
    return number < keys.length ? keys[number] : PREFIX + number;
  }

  /** A key that every server takes, and that is none of ours. */
  static String sane(String key) {
    String plain = key.replaceAll("[^a-zA-Z0-9_]", "_");
    boolean begins = !plain.isEmpty() && !Character.isDigit(plain.charAt(0));
    return begins && !LabelKey.isOurs(plain) ? plain : PREFIX + plain;
  }
}
