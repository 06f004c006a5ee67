package io.jebpf.agent.upload;

import io.jebpf.agent.pprof.ProfilePieces;
import io.jebpf.agent.pprof.ProfilePieces.Piece;
import io.jebpf.agent.pprof.ProfileSource;
import io.jebpf.agent.pprof.ProtoBuffer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/**
 * Pyroscope's {@code push.v1.PusherService/Push} as a Connect call. One profile in each request:
 * the server may store a part of several and still answer with an error. String labels of samples
 * become labels of series there, except trace and span id.
 */
final class PyroscopePush implements Protocol {
  /**
   * The server's defaults; but of the bytes, of which it takes 4 MiB, a quarter: its limit of the
   * rate is a bucket of 2 MiB for all senders of a tenant. What is larger is answered 429 for ever,
   * and what is nearly as large as long as others send.
   */
  private static final ProfilePieces.Limits LIMITS =
      new ProfilePieces.Limits(16_000, 1 << 20, 1_000);

  private static final int LABELS_MAX = 30;
  private static final int NAME_CHARS_MAX = 1024 / 3;
  private static final int VALUE_CHARS_MAX = 2048 / 3;

  /** Labels that samples may have beside those of the series: thread, state, wait, idle, ours. */
  private static final int SAMPLE_LABELS = 10;

  /** The name of the profile, and who measured. */
  private static final int OWN_LABELS = 2;

  /**
   * Tells the server the language. Otherwise it guesses from the names of functions, and what it
   * takes for Go ({@code app.Game.go} is enough) it repairs: frames are put below deep stacks.
   */
  private static final String SPY = "pyroscope_spy";

  private static final String JAVA = "javaspy";

  /** What the server says when it took some of a profile's series, and has no room for more. */
  private static final String SERIES_LIMIT = "series limit exceeded";

  private static final int TOO_MANY = 429;

  private static final Map<String, String> HEADERS =
      Map.of("Content-Type", "application/proto", "Connect-Protocol-Version", "1");

  /** Never left out. */
  private static final Set<String> NEEDED = Set.of("service_name", "instance");

  /** Where the process is: what a series does without first when it has too many labels. */
  private static final List<String> LEAST_NEEDED =
      List.of("container_id", "host", "pid", "container", "node", "namespace", "pod");

  private final SeriesLabels labels = new SeriesLabels(SeriesLabels.IDS);
  private long leftOut;
  private final ProtoBuffer request = new ProtoBuffer(4096);
  private final ProtoBuffer series = new ProtoBuffer(4096);
  private final ProtoBuffer nested = new ProtoBuffer(256);

  @Override
  public List<Call> calls(
      ProfileSource source, String kind, Map<String, String> identity, String entry)
      throws IOException {
    Map<String, String> fixed = fixed(identity);
    List<Map<String, String>> sets = labels.of(source.labelSets(), identity.keySet());
    List<Map<String, String>> sampleLabels = new ArrayList<>(sets.size());
    for (Map<String, String> set : sets) {
      Map<String, String> first = SeriesLabels.first(set, SAMPLE_LABELS);
      first.replaceAll((name, value) -> SeriesLabels.cut(value, VALUE_CHARS_MAX));
      sampleLabels.add(first);
    }
    List<Call> calls = new ArrayList<>();
    for (Piece piece : new ProfilePieces(source, sampleLabels, LIMITS).whole()) {
      calls.add(call(piece, kind, fixed, entry + "/" + source.nextSample() + "/" + calls.size()));
    }
    return calls;
  }

  /** As many as the server takes, the same ones each time; the user's own after what is needed. */
  private Map<String, String> fixed(Map<String, String> identity) {
    List<String> worstFirst = new ArrayList<>(LEAST_NEEDED);
    identity.keySet().stream()
        .filter(key -> !NEEDED.contains(key) && !LEAST_NEEDED.contains(key))
        .sorted(Comparator.reverseOrder())
        .forEach(worstFirst::add);
    Map<String, String> kept = new TreeMap<>(identity);
    for (String key : worstFirst) {
      if (kept.size() > LABELS_MAX - SAMPLE_LABELS - OWN_LABELS && kept.remove(key) != null) {
        leftOut++;
      }
    }
    return kept;
  }

  private Call call(Piece piece, String kind, Map<String, String> identity, String id) {
    Map<String, String> sorted = new TreeMap<>(identity);
    sorted.put("__name__", SeriesLabels.metric(kind));
    sorted.put(SPY, JAVA);
    series.clear();
    sorted.forEach(
        (name, value) -> {
          nested.clear();
          nested.text(1, SeriesLabels.cut(name, NAME_CHARS_MAX));
          nested.text(2, SeriesLabels.cut(value, VALUE_CHARS_MAX));
          series.message(1, nested);
        });
    nested.clear();
    nested.bytes(1, piece.gzipped(), piece.gzipped().length);
    // The same for each try, so that a server or a person can tell a repeated profile.
    nested.text(2, UUID.nameUUIDFromBytes(id.getBytes(StandardCharsets.UTF_8)).toString());
    series.message(2, nested);
    request.clear();
    request.message(1, series);
    return new Call("/push.v1.PusherService/Push", HEADERS, request.toByteArray());
  }

  @Override
  public Verdict judge(Reply.Answer answer) {
    if (answer.status() == TOO_MANY && answer.text().contains(SERIES_LIMIT)) {
      // A part of it is stored: each try more would add that part once more.
      return Verdict.of(Verdict.Kind.REFUSED, answer.shown());
    }
    boolean page = answer.headers().getOrDefault("content-type", "").startsWith("text/html");
    return answer.status() == 200 && page
        ? Verdict.of(Verdict.Kind.DENIED, "a page for people: is this Pyroscope? " + answer.shown())
        : HttpVerdicts.of(answer);
  }

  @Override
  public long labelsFolded() {
    return labels.folded() + leftOut;
  }
}
