package io.jebpf.agent.upload;

import io.jebpf.agent.pprof.ProfilePieces;
import io.jebpf.agent.pprof.ProfilePieces.Piece;
import io.jebpf.agent.pprof.ProfileSource;
import io.jebpf.agent.pprof.ProtoBuffer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
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
  /** The server's defaults, a little below where it counts what we do not see. */
  private static final ProfilePieces.Limits LIMITS =
      new ProfilePieces.Limits(16_000, (4 << 20) - (64 << 10), 1_000);

  private static final int LABELS_MAX = 30;
  private static final int NAME_CHARS_MAX = 1024 / 3;
  private static final int VALUE_CHARS_MAX = 2048 / 3;

  /** Labels that samples may have beside those of the series: thread, state, wait, idle, ours. */
  private static final int SAMPLE_LABELS = 10;

  private static final Map<String, String> HEADERS =
      Map.of("Content-Type", "application/proto", "Connect-Protocol-Version", "1");

  private final SeriesLabels labels = new SeriesLabels(Set.of("trace_id", "span_id"));
  private final ProtoBuffer request = new ProtoBuffer(4096);
  private final ProtoBuffer series = new ProtoBuffer(4096);
  private final ProtoBuffer nested = new ProtoBuffer(256);

  @Override
  public List<Call> calls(
      ProfileSource source, String kind, Map<String, String> identity, String entry)
      throws IOException {
    Map<String, String> fixed = SeriesLabels.first(identity, LABELS_MAX - SAMPLE_LABELS - 1);
    List<Map<String, String>> sets = labels.of(source.labelSets(), identity.keySet());
    List<Map<String, String>> sampleLabels = new ArrayList<>(sets.size());
    for (Map<String, String> set : sets) {
      sampleLabels.add(SeriesLabels.first(set, SAMPLE_LABELS));
    }
    List<Call> calls = new ArrayList<>();
    for (Piece piece : new ProfilePieces(source, sampleLabels, LIMITS).whole()) {
      calls.add(call(piece, kind, fixed, entry + "/" + source.nextSample() + "/" + calls.size()));
    }
    return calls;
  }

  private Call call(Piece piece, String kind, Map<String, String> identity, String id) {
    Map<String, String> sorted = new TreeMap<>(identity);
    sorted.put("__name__", SeriesLabels.metric(kind));
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
    boolean page = answer.headers().getOrDefault("content-type", "").startsWith("text/html");
    return answer.status() == 200 && page
        ? Verdict.of(Verdict.Kind.DENIED, "a page for people: is this Pyroscope? " + answer.shown())
        : HttpVerdicts.of(answer);
  }

  @Override
  public long labelsFolded() {
    return labels.folded();
  }
}
