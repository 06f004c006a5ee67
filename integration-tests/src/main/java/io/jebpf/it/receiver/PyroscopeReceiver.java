package io.jebpf.it.receiver;

import io.jebpf.it.pprof.PprofRules;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.pprof.ProtoReader;
import io.jebpf.it.pprof.RawProfile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/**
 * Speaks {@code push.v1.PusherService/Push} as Pyroscope 2.x does (facts/protocols.md 3.2, 3.4),
 * with its default limits.
 */
public final class PyroscopeReceiver extends ProfileReceiver {
  private static final int BODY_BYTES_MAX = 4 << 20;
  private static final int SAMPLES_MAX = 16_000;

  /** The bucket of the rate's limit: what is larger never passes. */
  private static final int BURST_BYTES = 2 << 20;

  private static final String RATE = "push rate limit";
  private static final int LABELS_MAX = 30;
  private static final long OLD_MILLIS = 3_600_000;
  private static final long NEW_MILLIS = 600_000;

  private volatile boolean checksAge = true;

  /** A server that takes profiles of any age. */
  public PyroscopeReceiver anyAge() {
    checksAge = false;
    return this;
  }

  @Override
  List<Received> decode(Exchange request) throws Refusal, IOException {
    require(request.method().equals("POST"), "method " + request.method());
    require(request.path().equals("/push.v1.PusherService/Push"), "path " + request.path());
    require(
        "application/proto".equals(request.headers().get("content-type")),
        "content type " + request.headers().get("content-type"));
    byte[] body = request.body();
    if ("gzip".equals(request.headers().get("content-encoding"))) {
      body = new GZIPInputStream(new ByteArrayInputStream(body)).readAllBytes();
    }
    List<Received> found = new ArrayList<>();
    ProtoReader push = new ProtoReader(body);
    while (push.next()) {
      require(push.field() == 1, "field " + push.field() + " in PushRequest");
      series(push.message(), found);
    }
    require(!found.isEmpty(), "no profile");
    return found;
  }

  private void series(ProtoReader series, List<Received> into) throws Refusal, IOException {
    Map<String, String> labels = new LinkedHashMap<>();
    List<byte[]> profiles = new ArrayList<>();
    String id = "";
    while (series.next()) {
      switch (series.field()) {
        case 1 -> label(series.message(), labels);
        case 2 -> {
          ProtoReader sample = series.message();
          while (sample.next()) {
            switch (sample.field()) {
              case 1 -> profiles.add(sample.bytes());
              case 2 -> id = sample.string();
              default -> sample.skip();
            }
          }
        }
        default -> series.skip();
      }
    }
    require(!labels.getOrDefault("__name__", "").isEmpty(), "no __name__");
    require(!labels.getOrDefault("service_name", "").isEmpty(), "no service_name");
    // Else it guesses the language from names, and repairs the stacks of what it takes for Go.
    require("javaspy".equals(labels.get("pyroscope_spy")), "no pyroscope_spy");
    require(id.isEmpty() || id.matches("[0-9a-f-]{36}"), "id " + id + " is no UUID");
    for (byte[] profile : profiles) {
      into.add(new Received(labels, id, check(profile, labels)));
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
    require(!name.isEmpty() && utf8(name).length <= 1024, "label name '" + name + "'");
    require(utf8(value).length <= 2048, "label " + name + " is too long");
    require(into.put(name, value) == null, "label " + name + " twice");
  }

  private static int bytes(Map<String, String> labels) {
    return labels.entrySet().stream()
        .mapToInt(label -> utf8(label.getKey()).length + utf8(label.getValue()).length)
        .sum();
  }

  private Profile check(byte[] gzipped, Map<String, String> labels) throws Refusal, IOException {
    RawProfile raw = RawProfile.parse(gzipped);
    require(raw.bodyBytes() <= BODY_BYTES_MAX, "profile has " + raw.bodyBytes() + " bytes");
    require(raw.bodyBytes() + bytes(labels) <= BURST_BYTES, RATE + ": " + raw.bodyBytes());
    require(raw.sampleCount() <= SAMPLES_MAX, "profile has " + raw.sampleCount() + " samples");
    List<String> broken = PprofRules.broken(raw);
    require(broken.isEmpty(), broken.toString());
    for (String type : raw.typeNames()) {
      require(!type.contains("-"), "sample type " + type);
    }
    long age = System.currentTimeMillis() - raw.timeNanos() / 1_000_000;
    require(!checksAge || age < OLD_MILLIS && age > -NEW_MILLIS, "profile is " + age + " ms old");
    Profile profile = Profile.of(gzipped);
    for (Profile.Stack stack : profile.stacks()) {
      for (Map.Entry<String, String> label : stack.labels().entrySet()) {
        require(utf8(label.getValue()).length <= 2048, "label " + label.getKey() + " is too long");
      }
      long more =
          stack.labels().keySet().stream()
              .filter(key -> !labels.containsKey(key))
              .filter(key -> !key.equals("trace_id") && !key.equals("span_id"))
              .count();
      require(labels.size() + more <= LABELS_MAX, "series with " + (labels.size() + more));
    }
    return profile;
  }

  @Override
  Exchange.Answer accepted() {
    return new Exchange.Answer(200, Map.of("Content-Type", "application/proto"), new byte[0]);
  }

  @Override
  Exchange.Answer refused(String rule) {
    return rule.startsWith(RATE)
        ? error(429, "resource_exhausted", rule)
        : error(400, "invalid_argument", rule);
  }

  /** A Connect error. */
  public static Exchange.Answer error(int status, String code, String message) {
    String text = message == null ? "" : message.replace("\\", "\\\\").replace("\"", "\\\"");
    return new Exchange.Answer(
        status,
        Map.of("Content-Type", "application/json"),
        utf8("{\"code\":\"" + code + "\",\"message\":\"" + text + "\"}"));
  }
}
