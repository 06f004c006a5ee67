package io.jebpf.agent.upload;

import io.jebpf.agent.pprof.ProfilePieces;
import io.jebpf.agent.pprof.ProfilePieces.Piece;
import io.jebpf.agent.pprof.ProfileSource;
import io.jebpf.agent.pprof.ProtoBuffer;
import io.jebpf.agent.upload.Verdict.Kind;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Parca's {@code ProfileStoreService/WriteRaw} as gRPC-Web, which HTTP/1.1 can carry. The server
 * drops labels of samples, so each set of labels becomes a series of its own; a request with all of
 * them is stored whole or not at all.
 */
final class ParcaWrite implements Protocol {
  /** No limits of the server: it has 5 s to read a request, and messages end at 64 MiB. */
  private static final ProfilePieces.Limits LIMITS =
      new ProfilePieces.Limits(Integer.MAX_VALUE, Integer.MAX_VALUE, 4096);

  private static final int FRAME_HEADER_BYTES = 5;
  private static final int DEADLINE_EXCEEDED = 4;
  private static final int RESOURCE_EXHAUSTED = 8;

  /** What a gRPC server says, with code 8, of a message above its limit: it will never take it. */
  private static final String TOO_LARGE = "larger than max";

  private static final int TRAILERS = 0x80;
  private static final Map<String, String> HEADERS =
      Map.of("Content-Type", "application/grpc-web+proto", "X-Grpc-Web", "1");

  private final SeriesLabels labels = new SeriesLabels(Set.of());
  private final ProtoBuffer request = new ProtoBuffer(16 << 10);
  private final ProtoBuffer series = new ProtoBuffer(4096);
  private final ProtoBuffer set = new ProtoBuffer(1024);
  private final ProtoBuffer nested = new ProtoBuffer(256);

  @Override
  public List<Call> calls(
      ProfileSource source, String kind, Map<String, String> identity, String entry)
      throws IOException {
    List<Map<String, String>> sets = labels.of(source.labelSets(), identity.keySet());
    request.clear();
    for (Piece piece : new ProfilePieces(source, sets, LIMITS).byLabels()) {
      Map<String, String> all = new TreeMap<>();
      piece.labels().forEach((name, value) -> all.put(name(name), value));
      identity.forEach((name, value) -> all.put(name(name), value));
      all.putIfAbsent("job", identity.getOrDefault("service_name", ""));
      all.put("__name__", SeriesLabels.metric(kind));
      add(all, piece.gzipped());
    }
    request.number(3, 1); // addresses need nothing done: every frame has its name
    byte[] message = request.toByteArray();
    byte[] body =
        ByteBuffer.allocate(FRAME_HEADER_BYTES + message.length)
            .put((byte) 0)
            .putInt(message.length)
            .put(message)
            .array();
    return List.of(
        new Call("/parca.profilestore.v1alpha1.ProfileStoreService/WriteRaw", HEADERS, body));
  }

  private void add(Map<String, String> all, byte[] profile) {
    set.clear();
    all.forEach(
        (name, value) -> {
          nested.clear();
          nested.text(1, name);
          nested.text(2, value);
          set.message(1, nested);
        });
    series.clear();
    series.message(1, set);
    nested.clear();
    nested.bytes(1, profile, profile.length);
    series.message(2, nested);
    request.message(2, series);
  }

  /** Prometheus's old rule for names. */
  static String name(String label) {
    String name = label.replaceAll("[^a-zA-Z0-9_]", "_");
    return !name.isEmpty() && Character.isDigit(name.charAt(0)) ? "_" + name : name;
  }

  @Override
  public Verdict judge(Reply.Answer answer) {
    if (answer.status() != 200) {
      return HttpVerdicts.of(answer);
    }
    Map<String, String> trailers = new HashMap<>(answer.headers());
    readTrailers(answer.body(), trailers);
    String status = trailers.getOrDefault("grpc-status", "").strip();
    if (!status.matches("[0-9]{1,2}")) {
      return Verdict.of(
          Kind.DENIED, "HTTP 200 without a gRPC status: is this Parca? " + answer.shown());
    }
    int code = Integer.parseInt(status);
    String message = decoded(trailers.getOrDefault("grpc-message", "").strip());
    boolean tooLarge = code == RESOURCE_EXHAUSTED && message.contains(TOO_LARGE);
    Kind kind = tooLarge ? Kind.REFUSED : kind(code);
    return new Verdict(
        kind,
        String.format(Locale.ROOT, "gRPC status %d %s", code, message),
        answer.retryAfterMillis(),
        kind == Kind.SUSPECT || code == DEADLINE_EXCEEDED);
  }

  private static String decoded(String message) {
    try {
      return URLDecoder.decode(message.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return message; // not percent-encoded as it should be
    }
  }

  private static void readTrailers(byte[] body, Map<String, String> into) {
    ByteBuffer frames = ByteBuffer.wrap(body);
    while (frames.remaining() >= FRAME_HEADER_BYTES) {
      int flags = frames.get() & 0xff;
      int length = frames.getInt();
      if (length < 0 || length > frames.remaining()) {
        return;
      }
      byte[] frame = new byte[length];
      frames.get(frame);
      if ((flags & TRAILERS) != 0) {
        for (String line : new String(frame, StandardCharsets.UTF_8).split("\r?\n")) {
          int colon = line.indexOf(':');
          if (colon > 0) {
            into.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1));
          }
        }
      }
    }
  }

  /** The codes of gRPC, by number. */
  private static Kind kind(int code) {
    return switch (code) {
      case 0, 6 -> Kind.DONE; // OK, AlreadyExists
      case 1, 4, 8, 10, 14 ->
          Kind.RETRY; // Canceled, DeadlineExceeded, Exhausted, Aborted, Unavail.
      case 2, 13, 15 -> Kind.SUSPECT; // Unknown: what Parca says of a profile it cannot read
      case 7, 16 -> Kind.DENIED; // PermissionDenied, Unauthenticated
      default -> Kind.REFUSED; // InvalidArgument, Unimplemented and the like
    };
  }

  @Override
  public long labelsFolded() {
    return labels.folded();
  }
}
