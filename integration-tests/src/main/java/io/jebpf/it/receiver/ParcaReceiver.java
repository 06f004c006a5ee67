package io.jebpf.it.receiver;

import io.jebpf.it.pprof.PprofRules;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.pprof.ProtoReader;
import io.jebpf.it.pprof.RawProfile;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Speaks {@code ProfileStoreService/WriteRaw} over gRPC-Web as Parca does (facts/protocols.md 2.1
 * to 2.4): a request is stored whole or not at all, labels of samples are dropped, a profile
 * without period type would end the server.
 */
public final class ParcaReceiver extends ProfileReceiver {
  private static final String LABEL_NAME = "[a-zA-Z_][a-zA-Z0-9_]*";
  private static final int MESSAGE_BYTES_MAX = 64 << 20;

  @Override
  List<Received> decode(Exchange request) throws Refusal, IOException {
    require(request.method().equals("POST"), "method " + request.method());
    require(
        request.path().equals("/parca.profilestore.v1alpha1.ProfileStoreService/WriteRaw"),
        "path " + request.path());
    require(
        request.headers().getOrDefault("content-type", "").startsWith("application/grpc-web"),
        "content type " + request.headers().get("content-type"));
    ByteBuffer frame = ByteBuffer.wrap(request.body());
    require(frame.remaining() >= 5 && frame.get() == 0, "no uncompressed gRPC frame");
    int length = frame.getInt();
    require(length == frame.remaining() && length <= MESSAGE_BYTES_MAX, "frame of " + length);
    byte[] message = new byte[length];
    frame.get(message);
    List<Received> found = new ArrayList<>();
    Set<Map<String, String>> seen = new HashSet<>();
    ProtoReader write = new ProtoReader(message);
    while (write.next()) {
      switch (write.field()) {
        case 2 -> series(write.message(), found, seen);
        case 3 -> require(write.bool(), "normalized is false");
        default -> require(false, "field " + write.field() + " in WriteRawRequest");
      }
    }
    require(!found.isEmpty(), "no profile");
    return found;
  }

  private static void series(ProtoReader series, List<Received> into, Set<Map<String, String>> seen)
      throws Refusal, IOException {
    Map<String, String> labels = new LinkedHashMap<>();
    List<byte[]> profiles = new ArrayList<>();
    while (series.next()) {
      ProtoReader inner = series.message();
      while (inner.next()) {
        if (series.field() == 1 && inner.field() == 1) {
          label(inner.message(), labels);
        } else if (series.field() == 2 && inner.field() == 1) {
          profiles.add(inner.bytes());
        } else {
          require(false, "field " + inner.field() + " of field " + series.field());
        }
      }
    }
    require(!labels.getOrDefault("__name__", "").isEmpty(), "missing __name__ label");
    require(seen.add(labels), "two series " + labels);
    for (byte[] profile : profiles) {
      into.add(new Received(labels, "", check(profile, labels)));
    }
  }

  private static void label(ProtoReader pair, Map<String, String> into) throws Refusal {
    String name = "";
    String value = "";
    while (pair.next()) {
      switch (pair.field()) {
        case 1 -> name = pair.string();
        case 2 -> value = pair.string();
        default -> pair.skip();
      }
    }
    require(name.matches(LABEL_NAME), "label name '" + name + "'");
    require(into.put(name, value) == null, "label " + name + " twice");
  }

  private static Profile check(byte[] gzipped, Map<String, String> labels)
      throws Refusal, IOException {
    RawProfile raw = RawProfile.parse(gzipped);
    // Parca has no limits of samples, bytes and frames, but that of a message.
    List<String> broken =
        PprofRules.broken(raw).stream()
            .filter(rule -> !rule.matches("11: .*(frames|samples|bytes uncompressed)"))
            .toList();
    require(broken.isEmpty(), broken.toString());
    String type = labels.get("__name__") + "_" + String.join("_", raw.typeNames());
    require(type.matches("[a-zA-Z_:][a-zA-Z0-9_:]*"), "profile type " + type);
    Profile profile = Profile.of(gzipped);
    for (Profile.Stack stack : profile.stacks()) {
      require(stack.labels().isEmpty(), "labels that would be dropped: " + stack.labels());
    }
    return profile;
  }

  @Override
  Exchange.Answer accepted() {
    return grpc(0, "");
  }

  @Override
  Exchange.Answer refused(String rule) {
    return grpc(2, rule); // Unknown: Parca does not tell a bad profile from trouble of its own
  }

  /** An empty message and the trailers. */
  public static Exchange.Answer grpc(int code, String message) {
    String text = message == null ? "" : message;
    byte[] trailers =
        utf8(
            "grpc-status: "
                + code
                + "\r\ngrpc-message: "
                + URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20")
                + "\r\n");
    ByteBuffer body = ByteBuffer.allocate(5 + 5 + trailers.length);
    if (code == 0) {
      body.put((byte) 0).putInt(0);
    }
    body.put((byte) 0x80).putInt(trailers.length).put(trailers);
    byte[] bytes = new byte[body.position()];
    body.get(0, bytes);
    return new Exchange.Answer(200, Map.of("Content-Type", "application/grpc-web+proto"), bytes);
  }
}
